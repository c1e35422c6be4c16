"""The pages of the digest: what each template may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from backend.digests.tables import Frequency
from backend.web.pages import Page

FREQUENCIES = tuple((one.value, one.label) for one in Frequency)
FLOORS = (("strong", "强"), ("fair", "较强及以上"), ("weak", "弱及以上"))
VIEWS = (("desktop", "电脑"), ("phone", "手机"), ("dark", "深色"), ("text", "纯文本"))


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
class View:
    """One way to look at a mail, as a tab."""

    label: str
    href: str
    current: bool


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
    """A reader's digest: how often, what comes next, what came before."""

    template: ClassVar[str] = "digests/show.html"

    values: Mapping[str, str]
    frequencies: Sequence[tuple[str, str]]
    floors: Sequence[tuple[str, str]]
    address: str
    is_manager: bool
    preview_week: str
    views: Sequence[View]
    view: str
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
    told: str = ""


@dataclass(frozen=True)
class ReplyPage(Page):
    """What an answer in a mail opens: the pair, and a button that decides."""

    template: ClassVar[str] = "digests/reply.html"

    token: str
    answer: str
    label: str
    demand: str
    supply: str
    others: Sequence[tuple[str, str]]
    reasons: Sequence[tuple[str, str]]
    snoozes: Sequence[tuple[str, str]]
    done: str = ""
    errors: Sequence[tuple[str, str]] = ()
