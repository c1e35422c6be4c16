"""Technology managers: what they care for, and the pairs recommended to them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime
from backend.desk.stages import Exit, Stage


class Progress(StrEnum):
    """What became of a recommendation."""

    OPEN = "open"
    TAKEN = "taken"
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    LAPSED = "lapsed"
    HANDED = "handed"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return PROGRESS_LABELS[self]


PROGRESS_LABELS = {
    Progress.OPEN: "待处理",
    Progress.TAKEN: "已接洽",
    Progress.DISMISSED: "不合适",
    Progress.SNOOZED: "以后再说",
    Progress.LAPSED: "已失效",
    Progress.HANDED: "已转派",
}


class DismissalReason(StrEnum):
    """Why a pair does not fit."""

    WRONG_TOPIC = "wrong_topic"
    TOO_EARLY = "too_early"
    MONEY = "money"
    PLACE = "place"
    KNOWN = "known"
    OUTSIDE_EXPERTISE = "outside_expertise"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return DISMISSAL_LABELS[self]


DISMISSAL_LABELS = {
    DismissalReason.WRONG_TOPIC: "技术方向不符",
    DismissalReason.TOO_EARLY: "成熟度不够",
    DismissalReason.MONEY: "价格与预算相差太大",
    DismissalReason.PLACE: "地点不便",
    DismissalReason.KNOWN: "双方已有联系",
    DismissalReason.OUTSIDE_EXPERTISE: "不在我的专长之内",
}


class Certification(StrEnum):
    """The levels at which technology managers are rated (DB11/T 1788-2020)."""

    JUNIOR = "junior"
    MIDDLE = "middle"
    SENIOR = "senior"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return CERTIFICATION_LABELS[self]


CERTIFICATION_LABELS = {
    Certification.JUNIOR: "初级技术经理人",
    Certification.MIDDLE: "中级技术经理人",
    Certification.SENIOR: "高级技术经理人",
}


class ManagerProfile(SQLModel, table=True):
    """What one technology manager cares for and can do; empty regions, fields or industries mean all."""

    __table_args__ = (sa.CheckConstraint("capacity BETWEEN 1 AND 200", name="capacity_in_range"),)

    account_id: UUID = Field(foreign_key="account.id", primary_key=True)
    regions: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    fields: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    expertise: str = Field(default="", sa_type=sa.Text)
    industries: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    languages: list[str] = Field(default_factory=list, sa_column=Column(sa.JSON, nullable=False))
    certification: Certification | None = Field(
        default=None, sa_column=Column(EnumText(Certification, 10), nullable=True)
    )
    capacity: int = Field(default=20, description="open cases at most")
    prefers_cross_region: bool = True
    personalised: bool = True
    learning_since: datetime | None = Field(
        default=None, sa_type=UtcTime, description="decisions before this are not learned from"
    )
    updated_at: datetime = Field(sa_type=UtcTime)


class ManagerAbsence(SQLModel, table=True):
    """Days on which a manager is away, both included: nothing new is recommended, and no clock runs."""

    __table_args__ = (sa.CheckConstraint("until_on >= from_on", name="absence_ordered"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    from_on: date
    until_on: date


class JudgedPair(SQLModel, table=True):
    """How well one published supply answers one published demand: judged once, recommended to many."""

    demand_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    supply_id: UUID = Field(foreign_key="listing.id", primary_key=True, index=True)
    level: str = Field(max_length=10)
    score: float
    fingerprint: str = Field(max_length=64, description="hash of both contents as they were judged")
    pairing: str = Field(default="", max_length=300, description="what Article 5 says of the two places, if anything")
    judged_at: datetime = Field(sa_type=UtcTime)
    features: dict[str, float] | None = Field(
        default=None,
        sa_column=Column(sa.JSON(none_as_null=True), nullable=True),
        description="what the judgement rests on, by name",
    )
    ranker: str | None = Field(default=None, max_length=80, description="name of the ranker that judged it")


class JudgingMark(SQLModel, table=True):
    """Up to which change of the market pairs are judged, by one encoder, ranker and cross-encoder together."""

    encoder: str = Field(max_length=80, primary_key=True, description="name of all that judged: see Platform.judging")
    change: int = Field(description="number of the last change that was looked at")
    judged_at: datetime = Field(sa_type=UtcTime)


class OrganisationExposure(SQLModel, table=True):
    """How often an organisation stood in open queues when the last run began: all parts of a run see the same."""

    organisation_id: UUID = Field(foreign_key="organisation.id", primary_key=True)
    shown: int = Field(description="open recommendations with a listing of it, both sides counted")


class Recommendation(SQLModel, table=True):
    """One pair recommended to one manager, once. `reason` is what was shown when it was made."""

    __table_args__ = (
        sa.UniqueConstraint("manager_id", "supply_id", "demand_id", name="uq_recommendation"),
        sa.Index("ix_recommendation_queue", "manager_id", "progress", "score"),
        sa.Index("ix_recommendation_pair", "supply_id", "demand_id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    manager_id: UUID = Field(foreign_key="account.id")
    supply_id: UUID = Field(foreign_key="listing.id")
    demand_id: UUID = Field(foreign_key="listing.id", index=True)
    level: str = Field(max_length=10)
    score: float
    reason: str = Field(default="", max_length=300)
    fingerprint: str = Field(max_length=64, description="hash of both contents: a changed pair is new again")
    progress: Progress = Field(default=Progress.OPEN, sa_column=Column(EnumText(Progress, 12), nullable=False))
    dismissal: DismissalReason | None = Field(
        default=None, sa_column=Column(EnumText(DismissalReason, 20), nullable=True)
    )
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcTime)
    made_at: datetime = Field(sa_type=UtcTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)
    handed_by_id: UUID | None = Field(
        default=None, foreign_key="account.id", description="the manager who passed it on, if it was not the machine"
    )
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(sa.JSON, nullable=False))


class Case(SQLModel, table=True):
    """A pair that one manager works on. While it is open nobody else can take the pair: the database sees to it.

    `manager_id` is who owns it now; `version` counts its changes, so that a form of an old page is refused.
    """

    __tablename__ = "deskcase"
    __table_args__ = (
        sa.Index(
            "uq_deskcase_open_pair",
            "supply_id",
            "demand_id",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_deskcase_stage", "stage", "closed_at"),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (exit_reason IS NULL AND stage <> 'registered')", name="end_has_reason"
        ),
        sa.CheckConstraint("exit_reason IS NULL OR stage NOT IN ('signed', 'registered')", name="signed_has_no_exit"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    supply_id: UUID = Field(foreign_key="listing.id", index=True)
    demand_id: UUID = Field(foreign_key="listing.id", index=True)
    manager_id: UUID = Field(foreign_key="account.id", index=True)
    level: str = Field(max_length=10, description="the level when it was taken")
    stage: Stage = Field(default=Stage.RECOMMENDED, sa_column=Column(EnumText(Stage, 12), nullable=False))
    exit_reason: Exit | None = Field(default=None, sa_column=Column(EnumText(Exit, 12), nullable=True))
    taken_at: datetime = Field(sa_type=UtcTime)
    staged_at: datetime = Field(sa_type=UtcTime, description="since when it is at its stage")
    stepped_at: datetime = Field(sa_type=UtcTime, description="when somebody last did something for it")
    nudges: int = Field(default=0, description="how often the clock has reminded since the last step")
    next_step: str = Field(default="", max_length=200)
    next_on: date | None = None
    version: int = 1
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
