"""The pages of whoever runs the digest: what each template may see."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.digests.operations import DomainCount, Tally
from backend.digests.pages import MailView, View
from backend.web.pages import Page

ONCE_A_WEEK = re.compile(r"(?P<minute>\d{1,2}) (?P<hour>\d{1,2}) \* \* (?P<day>[0-7])")


@dataclass(frozen=True)
class EditionRow:
    """One edition in a list."""

    week: str
    label: str
    href: str
    opened_at: datetime
    tally: Tally


@dataclass(frozen=True)
class OperationsPage(Page):
    """All editions, and the switch that stops the digest."""

    template: ClassVar[str] = "digests/admin.html"

    rows: Sequence[EditionRow]
    is_paused: bool
    paused_by: str
    paused_at: datetime | None
    cron: str
    sender: str
    own_address: str
    current: int
    last: int
    base: str

    @property
    def weekly(self) -> tuple[int, str] | None:
        """Return weekday (Monday is 1) and time when the timetable is one moment a week, as it is unless changed."""
        found = ONCE_A_WEEK.fullmatch(self.cron)
        return (int(found["day"]) or 7, f"{int(found['hour']):02}:{int(found['minute']):02}") if found else None


@dataclass(frozen=True)
class EditionPage(Page):
    """One edition: where each of its readers is now."""

    template: ClassVar[str] = "digests/admin_edition.html"

    row: EditionRow
    domains: Sequence[DomainCount]


@dataclass(frozen=True)
class PreviewPage(Page):
    """The next digest of one reader, as an administrator looks at it."""

    template: ClassVar[str] = "digests/admin_preview.html"

    account: str
    week: str
    views: Sequence[View]
    view: str
    mail: MailView | None
    nothing: str
    errors: Sequence[tuple[str, str]] = ()
