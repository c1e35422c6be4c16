"""The outbox: every mail, from the moment it is due until its fate is known."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class DeliveryState(StrEnum):
    """Where a mail is; only `unknown` may ever be sent again, and once."""

    PENDING = "pending"
    CLAIMED = "claimed"
    HANDED = "handed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return DELIVERY_LABELS[self]


DELIVERY_LABELS = {
    DeliveryState.PENDING: "待发送",
    DeliveryState.CLAIMED: "发送中",
    DeliveryState.HANDED: "已交付，待确认",
    DeliveryState.ACCEPTED: "对方已接收",
    DeliveryState.DEFERRED: "稍后重试",
    DeliveryState.REJECTED: "被拒收",
    DeliveryState.UNKNOWN: "结果不明",
    DeliveryState.SUPPRESSED: "未发送",
}


class OutboxMessage(SQLModel, table=True):
    """One mail to one address. Subject, text and HTML are frozen when it is posted; `key` makes posting idempotent.

    `message_id` is a function of the key; the first delivery adds our domain to it, and then it never changes.
    `attempts` counts how often the mail was claimed and fences a delivery that lost its lease; `repeats` how often it
    was sent again although it may have arrived.
    """

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    key: str = Field(max_length=160, unique=True)
    message_id: str = Field(max_length=200, unique=True)
    category: str = Field(max_length=30, index=True)
    recipient: str = Field(max_length=254)
    recipient_name: str = Field(default="", max_length=60)
    subject: str = Field(max_length=300)
    body_text: str = Field(sa_type=sa.Text)
    body_html: str = Field(sa_type=sa.Text)
    headers: dict[str, str] = Field(default_factory=dict, sa_column=Column(sa.JSON, nullable=False))
    state: DeliveryState = Field(
        default=DeliveryState.PENDING, sa_column=Column(EnumText(DeliveryState, 12), nullable=False, index=True)
    )
    attempts: int = 0
    repeats: int = 0
    posted_at: datetime = Field(sa_type=UtcTime, index=True)
    queued_at: datetime = Field(sa_type=UtcTime)
    tried_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    first_tried_at: datetime | None = Field(default=None, sa_type=UtcTime)
    next_try_at: datetime | None = Field(default=None, sa_type=UtcTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcTime)
    handed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reply: str = Field(default="", max_length=500)


class MailRoute(SQLModel, table=True):
    """A way mails take that must not be hurried: our relay, or the mail domain of recipients."""

    __tablename__ = "mail_route"

    name: str = Field(max_length=254, primary_key=True)
    free_at: datetime = Field(sa_type=UtcTime)
    opened_on: date | None = None
    counted_on: date | None = None
    sent_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class MailPause(SQLModel, table=True):
    """A category of mail that stays in the outbox until somebody lets it go on."""

    __tablename__ = "mail_pause"

    category: str = Field(max_length=30, primary_key=True)
    paused_at: datetime = Field(sa_type=UtcTime)
    paused_by: str = Field(default="", max_length=60)


class BounceKind(StrEnum):
    """What a bounce says of its address."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return BOUNCE_LABELS[self]


BOUNCE_LABELS = {
    BounceKind.HARD: "地址无效",
    BounceKind.SOFT: "暂时收不到",
    BounceKind.COMPLAINT: "被投诉为垃圾邮件",
}


class Bounce(SQLModel, table=True):
    """One mail that came back: counted once for each mail, however often the notice comes."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    outbox_id: UUID = Field(foreign_key="outboxmessage.id", unique=True)
    address: str = Field(max_length=254, index=True, description="the address as the ledger knows it")
    kind: BounceKind = Field(sa_column=Column(EnumText(BounceKind, 10), nullable=False))
    status: str = Field(default="", max_length=12, description="RFC 3463, such as 5.1.1")
    text: str = Field(default="", max_length=500)
    bounced_at: datetime = Field(sa_type=UtcTime, index=True)


class AddressRecord(SQLModel, table=True):
    """The ledger of one address: since when its bounces count, and whether it gets no more mail."""

    __tablename__ = "mail_address"

    address: str = Field(max_length=254, primary_key=True)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcTime)
    suppressed_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    reason: str = Field(default="", max_length=200)
