"""What a manager may submit."""

from datetime import date, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from backend.desk.tables import Certification, DismissalReason
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Level
from backend.web.forms import Blank, Block, Distinct, Number

LANGUAGES = (
    ("zh", "中文"),
    ("en", "英语"),
    ("ja", "日语"),
    ("ko", "韩语"),
    ("de", "德语"),
    ("fr", "法语"),
    ("ru", "俄语"),
)
LONGEST_EXPERTISE = 2000
MOST_PLACES = 20
LONGEST_NOTE = 2000
LONGEST_SNOOZE_DAYS = 365
LARGEST_CAPACITY = 200
# Places are chosen down to the city: a profile of single districts would miss its neighbours.
CHOSEN_LEVELS = frozenset({Level.PROVINCE, Level.CITY})


class ProfileForm(BaseModel):
    """What a manager cares for."""

    regions: Annotated[list[str], Distinct] = Field(default_factory=list, title="地区", max_length=MOST_PLACES)
    fields: Annotated[list[str], Distinct] = Field(default_factory=list, title="优先领域", max_length=MOST_PLACES)
    industries: Annotated[list[str], Distinct] = Field(default_factory=list, title="行业", max_length=MOST_PLACES)
    expertise: Block = Field(default="", title="专长", max_length=LONGEST_EXPERTISE)
    languages: Annotated[list[Literal["zh", "en", "ja", "ko", "de", "fr", "ru"]], Distinct] = Field(
        default_factory=list, title="工作语言"
    )
    certification: Annotated[Certification | None, Blank] = Field(default=None, title="技术经理人等级")
    capacity: Annotated[int, Number] = Field(default=20, title="同时接洽的上限", ge=1, le=LARGEST_CAPACITY)
    prefers_cross_region: bool = Field(default=False, title="优先跨省市")
    personalised: bool = Field(default=False, title="个性化推荐")

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, codes: list[str], info: ValidationInfo) -> list[str]:
        catalogue = _catalogue(info)
        for code in codes:
            region = catalogue.find_region(code)
            if region is None or region.level not in CHOSEN_LEVELS:
                raise ValueError(f"地区没有“{code[:20]}”这个选项，请从列出的地区中选择。")
        return codes

    @field_validator("industries")
    @classmethod
    def _known_industries(cls, codes: list[str], info: ValidationInfo) -> list[str]:
        catalogue = _catalogue(info)
        for code in codes:
            if code not in catalogue.industries:
                raise ValueError(f"行业没有“{code[:20]}”这个选项，请从列出的行业中选择。")
        return codes

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, codes: list[str], info: ValidationInfo) -> list[str]:
        catalogue = _catalogue(info)
        for code in codes:
            if code not in catalogue.fields:
                raise ValueError(f"优先领域没有“{code[:20]}”这个选项，请从列出的领域中选择。")
        return codes


def _catalogue(info: ValidationInfo) -> Catalogue:
    if not isinstance(info.context, Catalogue):
        raise TypeError("this form is validated with the catalogue as its context")
    return info.context


class DismissForm(BaseModel):
    """Why a pair does not fit."""

    reason: DismissalReason = Field(title="不合适的理由")


class SnoozeForm(BaseModel):
    """When a pair is to come back: in so many days, or on a day of one's own choice."""

    days: Literal["1", "7", "14", "30", "day"] = Field(title="什么时候再看")
    on: Annotated[date | None, Blank] = Field(default=None, title="日期")

    @model_validator(mode="after")
    def _day_is_ahead(self, info: ValidationInfo) -> Self:
        if self.days != "day":
            return self
        today = info.context
        if not isinstance(today, date):
            raise TypeError("this form is validated with today's date as its context")
        if self.on is None or not today < self.on <= today + timedelta(days=LONGEST_SNOOZE_DAYS):
            raise PydanticCustomError("at:on", "请填写明天以后、一年以内的日期")
        return self

    def days_from(self, today: date) -> int:
        """Return how many days from today the chosen morning is."""
        return (self.on - today).days if self.days == "day" and self.on else int(self.days)


class AbsenceForm(BaseModel):
    """From when to when a manager is away, both days included."""

    from_on: date = Field(title="第一天")
    until_on: date = Field(title="最后一天")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until_on < self.from_on:
            raise PydanticCustomError("at:until_on", "最后一天不能早于第一天")
        if self.until_on - self.from_on > timedelta(days=LONGEST_SNOOZE_DAYS):
            raise PydanticCustomError("at:until_on", "一段休假最长一年")
        return self


class HandOnForm(BaseModel):
    """Who is to get a pair or a case."""

    to: UUID = Field(title="转给谁")
    note: Block = Field(default="", title="说明", max_length=LONGEST_NOTE)
