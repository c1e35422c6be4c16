"""Listings of both kinds, their own columns, versions and history."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class Kind(StrEnum):
    """The two sides of the bridge."""

    SUPPLY = "supply"
    DEMAND = "demand"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return "成果" if self is Kind.SUPPLY else "需求"

    @property
    def other(self) -> "Kind":
        """Return the kind that this one is matched with."""
        return Kind.DEMAND if self is Kind.SUPPLY else Kind.SUPPLY


class State(StrEnum):
    """Where a listing is in its life."""

    DRAFT = "draft"
    PENDING = "pending"
    RETURNED = "returned"
    PUBLISHED = "published"
    MATCHED = "matched"
    CLOSED = "closed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return STATE_LABELS[self]


STATE_LABELS = {
    State.DRAFT: "草稿",
    State.PENDING: "待审核",
    State.RETURNED: "已退回",
    State.PUBLISHED: "已发布",
    State.MATCHED: "已对接",
    State.CLOSED: "已结束",
    State.EXPIRED: "已过期",
    State.WITHDRAWN: "已下架",
}


class Maturity(StrEnum):
    """How far a technology has come, in the trade's own words, from earliest to latest."""

    IN_DEVELOPMENT = "in_development"
    SAMPLE = "sample"
    BENCH_TESTED = "bench_tested"
    PILOT_TESTED = "pilot_tested"
    PRODUCTION_READY = "production_ready"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return MATURITY_LABELS[self]

    @property
    def step(self) -> int:
        """Return the place in the order, from 1 to 5."""
        return list(Maturity).index(self) + 1


MATURITY_LABELS = {
    Maturity.IN_DEVELOPMENT: "正在研发",
    Maturity.SAMPLE: "已有样品",
    Maturity.BENCH_TESTED: "通过小试",
    Maturity.PILOT_TESTED: "通过中试",
    Maturity.PRODUCTION_READY: "可以量产",
}


class Mode(StrEnum):
    """How the two sides could work together."""

    TRANSFER = "transfer"
    LICENCE = "licence"
    JOINT_DEVELOPMENT = "joint_development"
    COMMISSIONED_DEVELOPMENT = "commissioned_development"
    EQUITY = "equity"
    SERVICE = "service"
    CONSULTING = "consulting"
    CO_PRODUCTION = "co_production"
    JOINT_TEAM = "joint_team"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return MODE_LABELS[self]


MODE_LABELS = {
    Mode.TRANSFER: "技术转让",
    Mode.LICENCE: "技术许可",
    Mode.JOINT_DEVELOPMENT: "合作开发",
    Mode.COMMISSIONED_DEVELOPMENT: "委托开发",
    Mode.EQUITY: "作价投资",
    Mode.SERVICE: "技术服务",
    Mode.CONSULTING: "技术咨询",
    Mode.CO_PRODUCTION: "合作生产",
    Mode.JOINT_TEAM: "联合攻关",
}


class IpKind(StrEnum):
    """The four kinds of Article 17, and know-how."""

    PATENT = "patent"
    SOFTWARE = "software"
    IC_LAYOUT = "ic_layout"
    PLANT_VARIETY = "plant_variety"
    KNOW_HOW = "know_how"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return IP_KIND_LABELS[self]


IP_KIND_LABELS = {
    IpKind.PATENT: "专利",
    IpKind.SOFTWARE: "软件著作权",
    IpKind.IC_LAYOUT: "集成电路布图设计",
    IpKind.PLANT_VARIETY: "植物新品种",
    IpKind.KNOW_HOW: "专有技术",
}


class IpStatus(StrEnum):
    """How far the protection has come."""

    NONE = "none"
    APPLIED = "applied"
    PUBLISHED = "published"
    GRANTED = "granted"
    LAPSED = "lapsed"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return IP_STATUS_LABELS[self]


IP_STATUS_LABELS = {
    IpStatus.NONE: "未申请",
    IpStatus.APPLIED: "已申请",
    IpStatus.PUBLISHED: "已公开",
    IpStatus.GRANTED: "已授权",
    IpStatus.LAPSED: "已失效",
}


class PriceKind(StrEnum):
    """What is said about the price of a supply or the budget of a demand."""

    RANGE = "range"
    NEGOTIABLE = "negotiable"
    UNKNOWN = "unknown"
    UNDISCLOSED = "undisclosed"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return PRICE_LABELS[self]


PRICE_LABELS = {
    PriceKind.RANGE: "区间",
    PriceKind.NEGOTIABLE: "面议",
    PriceKind.UNKNOWN: "未知",
    PriceKind.UNDISCLOSED: "不公开",
}


class Visibility(StrEnum):
    """Who reads the description: everybody, or technology managers only (the card is always public)."""

    PUBLIC = "public"
    MANAGERS = "managers"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return "全部公开" if self is Visibility.PUBLIC else "详情仅技术经理人可见"


class Listing(SQLModel, table=True):
    """What one organisation offers or seeks. Money in yuan; text exactly as the author wrote it."""

    __table_args__ = (
        sa.CheckConstraint("price_low IS NULL OR price_low >= 0", name="price_low_not_negative"),
        sa.CheckConstraint("price_high IS NULL OR price_low IS NULL OR price_high >= price_low", name="price_ordered"),
        sa.Index("ix_listing_browse", "state", "kind", "published_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: Kind = Field(sa_column=Column(EnumText(Kind, 10), nullable=False))
    state: State = Field(default=State.DRAFT, sa_column=Column(EnumText(State, 12), nullable=False))
    owner_id: UUID = Field(foreign_key="account.id", index=True)
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    title: str = Field(max_length=120)
    summary: str = Field(default="", max_length=300)
    description: str = Field(default="", sa_type=sa.Text)
    region_code: str = Field(max_length=6, index=True)
    park_code: str | None = Field(default=None, max_length=20, index=True)
    industry_code: str | None = Field(default=None, max_length=3)
    keywords: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    price_kind: PriceKind = Field(default=PriceKind.UNKNOWN, sa_column=Column(EnumText(PriceKind, 12), nullable=False))
    price_low: int | None = Field(default=None, sa_type=sa.BigInteger)
    price_high: int | None = Field(default=None, sa_type=sa.BigInteger)
    indicators: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    contact_name: str = Field(default="", max_length=60)
    contact_phone: str = Field(default="", max_length=40)
    contact_email: str = Field(default="", max_length=254)
    visibility: Visibility = Field(
        default=Visibility.PUBLIC, sa_column=Column(EnumText(Visibility, 10), nullable=False)
    )
    is_anonymous: bool = False
    deadline_on: date | None = None
    version: int = 1
    content_hash: str = Field(max_length=64)
    source_key: str | None = Field(default=None, max_length=160, unique=True)
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    submitted_at: datetime | None = Field(default=None, sa_type=UtcTime)
    published_at: datetime | None = Field(default=None, sa_type=UtcTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class SupplyDetail(SQLModel, table=True):
    """What only a supply has."""

    __table_args__ = (sa.CheckConstraint("trl IS NULL OR trl BETWEEN 1 AND 9", name="trl_in_range"),)

    listing_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    maturity: Maturity | None = Field(default=None, sa_column=Column(EnumText(Maturity, 20), nullable=True, index=True))
    trl: int | None = None
    ip_kinds: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    ip_status: IpStatus | None = Field(default=None, sa_column=Column(EnumText(IpStatus, 12), nullable=True))


class DemandDetail(SQLModel, table=True):
    """What only a demand has."""

    listing_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    needs_maturity: Maturity | None = Field(
        default=None, sa_column=Column(EnumText(Maturity, 20), nullable=True, index=True)
    )
    wants_regions: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    baseline: str = Field(default="", sa_type=sa.Text)
    hopes_for_voucher: bool = False


class ListingField(SQLModel, table=True):
    """One of the six priority fields of a listing; position 0 comes first."""

    listing_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    field_code: str = Field(max_length=20, primary_key=True, index=True)
    position: int = 0


class ListingMode(SQLModel, table=True):
    """One cooperation mode of a listing."""

    listing_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    mode: Mode = Field(sa_column=Column(EnumText(Mode, 30), primary_key=True, index=True))


class ListingVersion(SQLModel, table=True):
    """The whole content of a listing as it was after one change."""

    __table_args__ = (sa.UniqueConstraint("listing_id", "version", name="uq_listing_version"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    listing_id: UUID = Field(foreign_key="listing.id", index=True)
    version: int
    content: dict[str, Any] = Field(sa_column=Column(sa.JSON, nullable=False))
    changed_by: UUID = Field(foreign_key="account.id")
    changed_at: datetime = Field(sa_type=UtcTime)


class ListingEvent(SQLModel, table=True):
    """One step of a listing from state to state, with the reason given to its owner."""

    id: int | None = Field(default=None, primary_key=True)
    listing_id: UUID = Field(foreign_key="listing.id", index=True)
    from_state: State | None = Field(default=None, sa_column=Column(EnumText(State, 12), nullable=True))
    to_state: State = Field(sa_column=Column(EnumText(State, 12), nullable=False))
    reason: str = Field(default="", max_length=500)
    by_id: UUID | None = Field(default=None, foreign_key="account.id")
    at: datetime = Field(sa_type=UtcTime)
