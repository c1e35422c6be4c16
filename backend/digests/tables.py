"""Weekly editions, one digest per edition and account, and what each one showed."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class Frequency(StrEnum):
    """How often an account wants its digest."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    FOUR_WEEKLY = "four_weekly"
    OFF = "off"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return FREQUENCY_LABELS[self]

    @property
    def weeks(self) -> int:
        """Return how many weeks lie between two digests; 0 for none at all."""
        return WEEKS_BETWEEN[self]


FREQUENCY_LABELS = {
    Frequency.WEEKLY: "每周一封",
    Frequency.FORTNIGHTLY: "每两周一封",
    Frequency.FOUR_WEEKLY: "每四周一封",
    Frequency.OFF: "不再接收",
}
WEEKS_BETWEEN = {Frequency.WEEKLY: 1, Frequency.FORTNIGHTLY: 2, Frequency.FOUR_WEEKLY: 4, Frequency.OFF: 0}


class SkipReason(StrEnum):
    """Why an account got no mail this week."""

    NOTHING_NEW = "nothing_new"
    NOT_DUE = "not_due"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    NOT_ACTIVE = "not_active"
    ADDRESS_BOUNCES = "address_bounces"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return SKIP_LABELS[self]


SKIP_LABELS = {
    SkipReason.NOTHING_NEW: "本周没有新的推荐",
    SkipReason.NOT_DUE: "按所选频率本周不发",
    SkipReason.PAUSED: "暂停接收",
    SkipReason.UNSUBSCRIBED: "已退订",
    SkipReason.NOT_ACTIVE: "账号未启用",
    SkipReason.ADDRESS_BOUNCES: "地址多次退信",
}
LOWEST_LEVEL = "fair"


class DigestSubscription(SQLModel, table=True):
    """Whether and how often one account gets the digest; the token unsubscribes without signing in."""

    account_id: UUID = Field(foreign_key="account.id", primary_key=True)
    frequency: Frequency = Field(default=Frequency.WEEKLY, sa_column=Column(EnumText(Frequency, 12), nullable=False))
    paused_until: date | None = None
    floor: str = Field(default=LOWEST_LEVEL, max_length=10, sa_column_kwargs={"server_default": LOWEST_LEVEL})
    token: str = Field(max_length=64, unique=True)
    changed_at: datetime = Field(sa_type=UtcTime)


class DigestEdition(SQLModel, table=True):
    """One ISO week in Asia/Shanghai, such as 2026-W48."""

    week: str = Field(max_length=8, primary_key=True)
    opened_at: datetime = Field(sa_type=UtcTime)


class Digest(SQLModel, table=True):
    """One account's digest of one week: the frozen mail's key in the outbox, or why there is none.

    The row is written when the edition opens; while it `is_due` nobody has composed it yet.
    """

    __table_args__ = (sa.UniqueConstraint("week", "account_id", name="uq_digest_week_account"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    week: str = Field(foreign_key="digestedition.week", max_length=8)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    is_due: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    composed_at: datetime = Field(sa_type=UtcTime)
    skip_reason: SkipReason | None = Field(default=None, sa_column=Column(EnumText(SkipReason, 20), nullable=True))
    outbox_key: str | None = Field(default=None, max_length=160)


class DigestItem(SQLModel, table=True):
    """A pair shown in a digest; the same account never sees the same fingerprint twice."""

    __table_args__ = (
        sa.UniqueConstraint("account_id", "supply_id", "demand_id", "fingerprint", name="uq_digest_item"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    digest_id: UUID = Field(foreign_key="digest.id", index=True)
    account_id: UUID = Field(foreign_key="account.id")
    supply_id: UUID = Field(foreign_key="listing.id")
    demand_id: UUID = Field(foreign_key="listing.id")
    fingerprint: str = Field(max_length=64)
    position: int
    words: dict[str, Any] | None = Field(default=None, sa_column=Column(sa.JSON, nullable=True))


class DigestNotice(SQLModel, table=True):
    """Something else that a digest told: a listing that ends soon, a case that moved; each is told once."""

    __table_args__ = (sa.UniqueConstraint("account_id", "key", name="uq_digest_notice"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    digest_id: UUID = Field(foreign_key="digest.id", index=True)
    account_id: UUID = Field(foreign_key="account.id")
    key: str = Field(max_length=160)
    listing_id: UUID = Field(foreign_key="listing.id")
    position: int
    words: dict[str, Any] = Field(default_factory=dict, sa_column=Column(sa.JSON, nullable=False))
