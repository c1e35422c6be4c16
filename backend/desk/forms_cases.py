"""What may be submitted about a case."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from backend.desk.forms import LONGEST_NOTE
from backend.desk.stages import CHOSEN_EXITS, Exit, Stage
from backend.desk.tables_pipeline import ContractKind
from backend.listings.tables import IpKind
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Level
from backend.web.forms import Blank, Block, Line, Number

LONGEST_MESSAGE = 500
YUAN_PER_WAN = 10_000
LARGEST_WAN = 10_000_000
Money = Annotated[Decimal, Number, Field(ge=0, le=LARGEST_WAN, decimal_places=4)]


class MoveForm(BaseModel):
    """To which stage a case goes."""

    stage: Stage = Field(title="阶段")


class NoteForm(BaseModel):
    """What happened, in words."""

    text: Block = Field(title="记录", min_length=1, max_length=LONGEST_NOTE)


class PlanForm(BaseModel):
    """What is to be done next."""

    next_step: Line = Field(title="下一步", min_length=1, max_length=200)
    next_on: Annotated[date | None, Blank] = Field(default=None, title="日期")


class EndForm(BaseModel):
    """Why a case ends without a contract."""

    reason: Exit = Field(title="结束的理由")
    note: Block = Field(default="", title="说明", max_length=LONGEST_NOTE)

    @field_validator("reason")
    @classmethod
    def _is_for_people(cls, reason: Exit) -> Exit:
        if reason not in CHOSEN_EXITS:
            raise ValueError("请从列出的理由中选择。")
        return reason


class MessageForm(BaseModel):
    """What a manager writes to both sides."""

    message: Block = Field(default="", title="附言", max_length=LONGEST_MESSAGE)


class ReasonForm(BaseModel):
    """Why a contract is taken back."""

    note: Block = Field(title="说明", min_length=1, max_length=LONGEST_NOTE)


class RegisterForm(BaseModel):
    """Under which number a contract was registered, and when."""

    registration_number: Line = Field(title="登记编号", min_length=1, max_length=60)
    registered_on: date = Field(title="登记日期")


class ContractForm(BaseModel):
    """A signed contract; money in 万元 as people write it."""

    kind: ContractKind = Field(title="合同类别")
    number: Line = Field(default="", title="合同编号", max_length=60)
    total: Money = Field(title="成交额")
    technology: Money = Field(title="其中技术交易额")
    ip_kind: Annotated[IpKind | None, Blank] = Field(default=None, title="知识产权类别")
    buyer_region: str = Field(title="买方所在地")
    seller_region: str = Field(title="卖方所在地")
    plan_source: Line = Field(default="", title="计划来源", max_length=100)
    signed_on: date = Field(title="签约日期")

    @field_validator("buyer_region", "seller_region")
    @classmethod
    def _known_place(cls, code: str, info: ValidationInfo) -> str:
        if not isinstance(info.context, Catalogue):
            raise TypeError("this form is validated with the catalogue as its context")
        region = info.context.find_region(code)
        if region is None or region.level not in {Level.PROVINCE, Level.CITY, Level.DISTRICT}:
            raise ValueError("请从列出的地区中选择所在地。")
        return code

    @model_validator(mode="after")
    def _technology_is_a_part(self) -> Self:
        if self.technology > self.total:
            raise PydanticCustomError("at:technology", "技术交易额不能大于成交额")
        return self


def in_yuan(amount: Decimal) -> int:
    """Return an amount of 万元 in yuan; four decimal places are whole yuan."""
    return int(amount * YUAN_PER_WAN)
