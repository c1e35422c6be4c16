"""What a person says of a pair: the form, its words, and who may speak."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from backend.accounts.tables import Account, Role
from backend.listings.repository import ListingBundle
from backend.matching.tables import Verdict
from backend.web.forms import Blank
from models.relevance import MatchLevel


class UnfitReason(StrEnum):
    """Why a pair does not fit."""

    WRONG_TOPIC = "wrong_topic"
    TOO_EARLY = "too_early"
    MONEY = "money"
    PLACE = "place"
    KNOWN = "known"
    OUTSIDE_EXPERTISE = "outside_expertise"

    @property
    def label(self) -> str:
        """Return the words people read."""
        return UNFIT_LABELS[self]


UNFIT_LABELS = {
    UnfitReason.WRONG_TOPIC: "技术方向不符",
    UnfitReason.TOO_EARLY: "成熟度不够",
    UnfitReason.MONEY: "价格与预算相差太大",
    UnfitReason.PLACE: "地点不便",
    UnfitReason.KNOWN: "双方已有联系",
    UnfitReason.OUTSIDE_EXPERTISE: "不在我的专长之内",
}
VERDICT_LABELS = {Verdict.FITS: "合适", Verdict.UNFIT: "不合适", Verdict.LATER: "以后再说"}


@dataclass(frozen=True)
class Shown:
    """What a person saw of a pair when speaking of it; what is not known is empty or None."""

    level: str = ""
    rank: int = 0
    features: Mapping[str, float] | None = None
    """What the judgement rested on, by name."""
    ranker: str | None = None
    """Name of the ranker that judged."""


class FeedbackForm(BaseModel):
    """One verdict on a pair, with the level under which it was shown."""

    verdict: Verdict = Field(title="意见")
    reason: Annotated[UnfitReason | None, Blank] = Field(default=None, title="不合适的理由")
    level: Annotated[MatchLevel | None, Blank] = Field(default=None, title="匹配度")

    @model_validator(mode="after")
    def _reason_given(self) -> Self:
        if self.verdict is Verdict.UNFIT and self.reason is None:
            raise PydanticCustomError("at:reason", "请选择一个不合适的理由")
        return self

    @property
    def kept_reason(self) -> str:
        """Return the reason to keep: only what does not fit has one."""
        return self.reason.value if self.verdict is Verdict.UNFIT and self.reason else ""


def may_judge(account: Account | None, *bundles: ListingBundle) -> bool:
    """Tell whether a person may speak on a pair: technology managers, and the owners of either listing."""
    if account is None:
        return False
    return account.role == Role.MANAGER or any(bundle.listing.owner_id == account.id for bundle in bundles)


def seal_of(demand: ListingBundle, supply: ListingBundle, *, ranker: str) -> str:
    """Return what a form carries of the pair as it was shown: another text or ranker gives another 32 hex digits."""
    sides = demand.listing.content_hash, supply.listing.content_hash
    return sha256(":".join((ranker, *sides)).encode()).hexdigest()[:32]
