"""The pages of the mail room: what was sent in development, and the outbox for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from backend.mail.tables import DeliveryState, OutboxMessage
from backend.web.pages import LOCAL_ZONE, Page

TONES = {
    DeliveryState.ACCEPTED: "good",
    DeliveryState.DEFERRED: "warn",
    DeliveryState.UNKNOWN: "warn",
    DeliveryState.REJECTED: "bad",
}


@dataclass(frozen=True)
class MailRow:
    """One mail in a list."""

    id: UUID
    subject: str
    recipient: str
    category: str
    state: str
    tone: str
    posted_at: datetime
    next_try_at: datetime | None
    attempts: int
    reply: str
    may_retry: bool


@dataclass(frozen=True)
class StateTab:
    """One state as a tab, with how many mails are in it."""

    label: str
    href: str
    count: int
    current: bool


@dataclass(frozen=True)
class DevMailListPage(Page):
    """What was sent on this machine, newest first."""

    template: ClassVar[str] = "mail/dev_list.html"

    rows: Sequence[MailRow]
    total: int
    current: int
    last: int
    base: str


@dataclass(frozen=True)
class DevMailPage(Page):
    """One mail as its recipient sees it."""

    template: ClassVar[str] = "mail/dev_show.html"

    row: MailRow
    sender: str
    recipient: str
    text: str
    body_href: str
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class OutboxPage(Page):
    """The outbox by state."""

    template: ClassVar[str] = "mail/admin_list.html"

    tabs: Sequence[StateTab]
    rows: Sequence[MailRow]
    state: str
    current: int
    last: int
    base: str


def mail_row(message: OutboxMessage) -> MailRow:
    """Return a mail as lists show it; its content is left out."""
    return MailRow(
        id=message.id,
        subject=message.subject,
        recipient=message.recipient,
        category=message.category,
        state=message.state.label,
        tone=TONES.get(message.state, "plain"),
        posted_at=message.posted_at.astimezone(LOCAL_ZONE),
        next_try_at=message.next_try_at.astimezone(LOCAL_ZONE) if message.next_try_at else None,
        attempts=message.attempts,
        reply=message.reply,
        may_retry=message.state is DeliveryState.DEFERRED,
    )


@dataclass(frozen=True)
class SuppressedRow:
    """An address that gets no more mail, and why."""

    address: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class BounceRow:
    """One mail that came back."""

    address: str
    subject: str
    kind: str
    status: str
    text: str
    at: datetime


@dataclass(frozen=True)
class BouncePage(Page):
    """What came back, and whom that stopped."""

    template: ClassVar[str] = "mail/bounces.html"

    suppressed: Sequence[SuppressedRow]
    suppressed_total: int
    rows: Sequence[BounceRow]
    total: int
    current: int
    last: int
    base: str
