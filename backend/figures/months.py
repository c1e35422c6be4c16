"""Calendar months as people here live them: from midnight to midnight in Beijing."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from backend.web.pages import LOCAL_ZONE

WRITTEN = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month."""

    year: int
    number: int

    @property
    def code(self) -> str:
        """Return the month as it stands in addresses and tables: 2026-11."""
        return f"{self.year}-{self.number:02d}"

    @property
    def first_on(self) -> date:
        """Return its first day."""
        return date(self.year, self.number, 1)

    @property
    def begins_at(self) -> datetime:
        """Return the moment it begins in Beijing."""
        return datetime.combine(self.first_on, time(), LOCAL_ZONE)

    @property
    def next(self) -> "Month":
        """Return the month after."""
        return self.shifted(1)

    def shifted(self, months: int) -> "Month":
        """Return the month so many months later, or earlier when negative."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)


def month_of(moment: datetime) -> Month:
    """Return the month of a moment in Beijing."""
    local = moment.astimezone(LOCAL_ZONE)
    return Month(local.year, local.month)


def last_months(until: Month, count: int) -> tuple[Month, ...]:
    """Return so many months, earliest first, the last of which is `until`."""
    return tuple(until.shifted(passed - count + 1) for passed in range(count))


def read_month(text: str, now: datetime) -> Month:
    """Return the month that an address names; the present one when it names none, or one to come."""
    found, present = WRITTEN.fullmatch(text), month_of(now)
    return min(Month(int(found[1]), int(found[2])), present) if found else present
