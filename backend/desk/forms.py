"""What a manager may submit."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from backend.desk.tables import DismissalReason
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Level
from backend.web.forms import Block, Distinct

LONGEST_EXPERTISE = 2000
MOST_PLACES = 20
# Places are chosen down to the city: a profile of single districts would miss its neighbours.
CHOSEN_LEVELS = frozenset({Level.PROVINCE, Level.CITY})


class ProfileForm(BaseModel):
    """What a manager cares for."""

    regions: Annotated[list[str], Distinct] = Field(default_factory=list, title="地区", max_length=MOST_PLACES)
    fields: Annotated[list[str], Distinct] = Field(default_factory=list, title="优先领域", max_length=MOST_PLACES)
    expertise: Block = Field(default="", title="专长", max_length=LONGEST_EXPERTISE)
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
    """When a pair is to come back."""

    days: Literal["1", "7", "14", "30"] = Field(title="什么时候再看")
