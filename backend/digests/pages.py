"""The pages of the digest: what each template may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.digests.tables import Frequency
from backend.web.pages import Page

FREQUENCIES = tuple((one.value, one.label) for one in Frequency)


@dataclass(frozen=True)
class MailView:
    """One mail as its recipient sees it."""

    subject: str
    sender: str
    recipient: str
    at: datetime
    body_href: str
    text: str


@dataclass(frozen=True)
class IssueRow:
    """One past week: a mail with so many pairs, or why there was none."""

    week: str
    label: str
    href: str
    count: int
    composed_at: datetime
    state: str


@dataclass(frozen=True)
class DigestPage(Page):
    """A manager's digest: how often, what comes next, what came before."""

    template: ClassVar[str] = "digests/show.html"

    frequency: str
    frequencies: Sequence[tuple[str, str]]
    address: str
    preview_week: str
    preview: MailView | None
    nothing: str
    issues: Sequence[IssueRow]
    current: int
    last: int
    base: str
    errors: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class IssuePage(Page):
    """One past digest, exactly as it was written."""

    template: ClassVar[str] = "digests/issue.html"

    label: str
    state: str
    mail: MailView


@dataclass(frozen=True)
class UnsubscribePage(Page):
    """What the link in a mail opens: a button, for opening a page changes nothing. Every token looks the same."""

    template: ClassVar[str] = "digests/unsubscribe.html"

    token: str
    is_done: bool
