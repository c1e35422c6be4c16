"""Weekly editions, one digest per edition and account, and what each one showed."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class Frequency(StrEnum):
    """How often an account wants its digest."""

    WEEKLY = "weekly"
    OFF = "off"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return "每周一封" if self is Frequency.WEEKLY else "不再接收"


class SkipReason(StrEnum):
    """Why an account got no mail this week."""

    NOTHING_NEW = "nothing_new"
    UNSUBSCRIBED = "unsubscribed"
    NOT_ACTIVE = "not_active"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return SKIP_LABELS[self]


SKIP_LABELS = {
    SkipReason.NOTHING_NEW: "本周没有新的推荐",
    SkipReason.UNSUBSCRIBED: "已退订",
    SkipReason.NOT_ACTIVE: "账号未启用",
}


class DigestSubscription(SQLModel, table=True):
    """Whether and how often one account gets the digest; the token unsubscribes without signing in."""

    account_id: UUID = Field(foreign_key="account.id", primary_key=True)
    frequency: Frequency = Field(default=Frequency.WEEKLY, sa_column=Column(EnumText(Frequency, 12), nullable=False))
    token: str = Field(max_length=64, unique=True)
    changed_at: datetime = Field(sa_type=UtcTime)


class DigestEdition(SQLModel, table=True):
    """One ISO week in Asia/Shanghai, such as 2026-W48."""

    week: str = Field(max_length=8, primary_key=True)
    opened_at: datetime = Field(sa_type=UtcTime)


class Digest(SQLModel, table=True):
    """One account's digest of one week: the frozen mail's key in the outbox, or why there is none."""

    __table_args__ = (sa.UniqueConstraint("week", "account_id", name="uq_digest_week_account"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    week: str = Field(foreign_key="digestedition.week", max_length=8)
    account_id: UUID = Field(foreign_key="account.id", index=True)
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
