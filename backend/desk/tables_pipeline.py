"""What belongs to a case: its steps, files and contract, the introduction of both sides and their consents."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime
from backend.desk.stages import Stage
from backend.listings.tables import IpKind, Kind


class StepKind(StrEnum):
    """What happened to a case."""

    TAKEN = "taken"
    MOVED = "moved"
    NOTED = "noted"
    PLANNED = "planned"
    FILED = "filed"
    UNFILED = "unfiled"
    INTRODUCED = "introduced"
    AGREED = "agreed"
    DECLINED = "declined"
    REVEALED = "revealed"
    TAKEN_BACK = "taken_back"
    HANDED_OVER = "handed_over"
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    REGISTERED = "registered"
    NUDGED = "nudged"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """Return the words people read."""
        return STEP_LABELS[self]


STEP_LABELS = {
    StepKind.TAKEN: "开始接洽",
    StepKind.MOVED: "阶段变化",
    StepKind.NOTED: "记录",
    StepKind.PLANNED: "下一步",
    StepKind.FILED: "加入文件",
    StepKind.UNFILED: "移除文件",
    StepKind.INTRODUCED: "推荐给双方",
    StepKind.AGREED: "同意交换联系方式",
    StepKind.DECLINED: "不同意交换联系方式",
    StepKind.REVEALED: "双方联系方式已互相可见",
    StepKind.TAKEN_BACK: "撤回同意",
    StepKind.HANDED_OVER: "转交",
    StepKind.SIGNED: "签约",
    StepKind.UNSIGNED: "撤回签约",
    StepKind.REGISTERED: "合同登记",
    StepKind.NUDGED: "提醒",
    StepKind.ENDED: "结束",
}


class CaseStep(SQLModel, table=True):
    """One thing that happened to a case, in order; none is ever changed. Without `by_id` it was the clock.

    Every step that changes the stage says from where to where, so that the history of a case is a path of the machine.
    """

    id: int | None = Field(default=None, primary_key=True)
    case_id: UUID = Field(foreign_key="deskcase.id", index=True)
    kind: StepKind = Field(sa_column=Column(EnumText(StepKind, 12), nullable=False))
    from_stage: Stage | None = Field(default=None, sa_column=Column(EnumText(Stage, 12), nullable=True))
    to_stage: Stage = Field(sa_column=Column(EnumText(Stage, 12), nullable=False))
    text: str = Field(default="", sa_type=sa.Text)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(sa.JSON, nullable=False))
    by_id: UUID | None = Field(default=None, foreign_key="account.id")
    at: datetime = Field(sa_type=UtcTime, index=True)


class CaseFile(SQLModel, table=True):
    """A file of a case. Its bytes lie in the data folder, outside everything that is served, under its id."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    case_id: UUID = Field(foreign_key="deskcase.id", index=True)
    name: str = Field(max_length=120)
    media_type: str = Field(max_length=100)
    size_bytes: int
    sha256: str = Field(max_length=64)
    by_id: UUID = Field(foreign_key="account.id")
    at: datetime = Field(sa_type=UtcTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ContractKind(StrEnum):
    """The kinds of technology contract that are registered (JJ-001)."""

    DEVELOPMENT = "development"
    TRANSFER = "transfer"
    LICENCE = "licence"
    CONSULTING = "consulting"
    SERVICE = "service"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return CONTRACT_LABELS[self]


CONTRACT_LABELS = {
    ContractKind.DEVELOPMENT: "技术开发",
    ContractKind.TRANSFER: "技术转让",
    ContractKind.LICENCE: "技术许可",
    ContractKind.CONSULTING: "技术咨询",
    ContractKind.SERVICE: "技术服务",
}


class Contract(SQLModel, table=True):
    """What a signed case came to, with the heads of the registration form, so that the figures can be filed.

    Money in yuan. The two region codes give the flow between the three places; `seller` is the side of the supply.
    """

    __tablename__ = "deskcontract"
    __table_args__ = (
        sa.CheckConstraint("total_yuan >= 0", name="total_not_negative"),
        sa.CheckConstraint("technology_yuan BETWEEN 0 AND total_yuan", name="technology_within_total"),
        sa.CheckConstraint("(registered_on IS NULL) = (registration_number = '')", name="registration_whole"),
    )

    case_id: UUID = Field(foreign_key="deskcase.id", primary_key=True)
    kind: ContractKind = Field(sa_column=Column(EnumText(ContractKind, 12), nullable=False, index=True))
    number: str = Field(default="", max_length=60)
    total_yuan: int = Field(sa_type=sa.BigInteger, description="成交额")
    technology_yuan: int = Field(sa_type=sa.BigInteger, description="技术交易额")
    ip_kind: IpKind | None = Field(default=None, sa_column=Column(EnumText(IpKind, 20), nullable=True))
    buyer_region: str = Field(max_length=6, index=True)
    seller_region: str = Field(max_length=6, index=True)
    plan_source: str = Field(default="", max_length=100, description="计划来源")
    signed_on: date = Field(index=True)
    registration_number: str = Field(default="", max_length=60)
    registered_on: date | None = None
    by_id: UUID = Field(foreign_key="account.id", description="the manager to whose name it goes")
    at: datetime = Field(sa_type=UtcTime)


class Introduction(SQLModel, table=True):
    """An expression of interest that a manager sent to both sides of a case, once."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    case_id: UUID = Field(foreign_key="deskcase.id", unique=True)
    message: str = Field(default="", max_length=500)
    by_id: UUID = Field(foreign_key="account.id")
    sent_at: datetime = Field(sa_type=UtcTime, index=True)
    revealed_at: datetime | None = Field(default=None, sa_type=UtcTime, description="when both had agreed")


class Answer(StrEnum):
    """What one side says to the exchange of contact details."""

    PENDING = "pending"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return ANSWER_LABELS[self]


ANSWER_LABELS = {
    Answer.PENDING: "等待答复",
    Answer.AGREED: "已同意",
    Answer.DECLINED: "不同意",
    Answer.WITHDRAWN: "已撤回同意",
}


class ContactConsent(SQLModel, table=True):
    """The separate consent of one side to one introduction: that the other side sees its name and contact details.

    `wording` names the text that was agreed to. Contact is shown only while both sides' answers are 'agreed'.
    """

    introduction_id: UUID = Field(foreign_key="introduction.id", primary_key=True)
    side: Kind = Field(sa_column=Column(EnumText(Kind, 10), primary_key=True))
    listing_id: UUID = Field(foreign_key="listing.id", index=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    answer: Answer = Field(default=Answer.PENDING, sa_column=Column(EnumText(Answer, 10), nullable=False))
    wording: str = Field(default="", max_length=20)
    answered_at: datetime | None = Field(default=None, sa_type=UtcTime)


class Waiting(StrEnum):
    """Why a listing counts as unanswered."""

    NOBODY = "nobody"
    GIVEN_UP = "given_up"

    @property
    def label(self) -> str:
        """Return the words people read."""
        return "没有人接洽" if self is Waiting.NOBODY else "接洽后长期没有进展"


class UnansweredListing(SQLModel, table=True):
    """A listing that waited too long in vain: on record for everyone to see, also after somebody answers it."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    listing_id: UUID = Field(foreign_key="listing.id", index=True)
    case_id: UUID | None = Field(default=None, foreign_key="deskcase.id", index=True)
    why: Waiting = Field(sa_column=Column(EnumText(Waiting, 10), nullable=False))
    since: datetime = Field(sa_type=UtcTime, description="since when it waits")
    recorded_at: datetime = Field(sa_type=UtcTime, index=True)
    answered_at: datetime | None = Field(default=None, sa_type=UtcTime)
