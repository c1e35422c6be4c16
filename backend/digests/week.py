"""ISO weeks as they are lived in Beijing: 2026-W48. A year has 52 or 53 of them; 2026 has 53."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
WRITTEN = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, order=True)
class Week:
    """One ISO week. Its year is the ISO year: 2027-01-01 lies in 2026-W53."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return the week that a moment lies in, in Beijing; the moment must have a zone."""
        if moment.tzinfo is None:
            raise ValueError(f"time without zone: {moment!r}")
        return cls.of_day(moment.astimezone(ZONE).date())

    @classmethod
    def of_day(cls, day: date) -> Self:
        """Return the week that a day lies in."""
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a week written as 2026-W48. Raises: ValueError naming what was written."""
        found = WRITTEN.fullmatch(text.strip().upper())
        if found is None:
            raise ValueError(f"a week is written like 2026-W48, not {text[:20]!r}")
        year, number = int(found[1]), int(found[2])
        try:
            date.fromisocalendar(year, number, 1)
        except ValueError:
            raise ValueError(f"{year} has no week {number}") from None
        return cls(year, number)

    @property
    def key(self) -> str:
        """Return the week as it is written: 2026-W48."""
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """Return the first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """Return the last day."""
        return self.monday + timedelta(days=6)

    @property
    def label(self) -> str:
        """Return the week as people read it: 2026 年第 48 周（11 月 23 日至 11 月 29 日）."""
        first, last = self.monday, self.sunday
        return f"{self.year} 年第 {self.number} 周（{first.month} 月 {first.day} 日至 {last.month} 月 {last.day} 日）"

    def next(self) -> Self:
        """Return the week after."""
        return type(self).of_day(self.monday + timedelta(days=7))

    def __str__(self) -> str:
        return self.key
