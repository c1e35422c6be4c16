"""The pages of whoever runs the digest: what each template may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.digests.operations import DomainCount, Tally
from backend.digests.pages import MailView, View
from backend.web.pages import Page


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
    next_at: str
    sender: str
    own_address: str
    current: int
    last: int
    base: str


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
