"""What the API takes and gives, as OpenAPI describes it."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.listings.forms import ListingForm
from backend.listings.tables import Kind, State


class NewListing(ListingForm):
    """A listing to post."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="NewListing")

    kind: Kind = Field(title="类型")
    submit: bool = Field(default=True, title="提交审核", description="false 只存为草稿")


class ChangedListing(ListingForm):
    """The whole new content of a listing."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="ChangedListing")

    submit: bool = Field(default=True, title="提交审核")


class IndicatorData(BaseModel):
    """One figure as it is read."""

    name: str
    value: str
    unit: str
    condition: str


class ListingData(BaseModel):
    """A listing as the token's owner, or the public, may see it. Contact details are never part of it."""

    id: UUID
    kind: Kind
    state: State
    title: str
    summary: str
    description: str
    organisation: str
    province: str
    place: str
    park: str
    fields: list[str]
    industry: str
    keywords: list[str]
    modes: list[str]
    price: str
    indicators: list[IndicatorData]
    maturity: str
    deadline: date | None
    published_at: datetime | None
    href: str


class ListingPage(BaseModel):
    """One page of a list of listings."""

    total: int
    page: int
    pages: int
    results: list[ListingData]


class RequirementData(BaseModel):
    """One thing a demand asks for and whether the supply answers it."""

    status: Literal["met", "missed", "unknown"]
    text: str
    note: str
    quote: str


class QuoteData(BaseModel):
    """Two passages that carry a match, each a part of its listing."""

    demand: str
    supply: str


class GroundData(BaseModel):
    """An article that speaks for a pair."""

    cite: str
    text: str


class CounterpartData(BaseModel):
    """A term of the demand and one of the supply: another name of the same, or what answers the problem."""

    demand: str
    supply: str
    relation: Literal["same", "answer"]
    text: str


class ExplanationData(BaseModel):
    """Why a pair fits and what does not."""

    requirements_met: int
    requirements_total: int
    requirements: list[RequirementData]
    quotes: list[QuoteData]
    shared_terms: list[str]
    counterparts: list[CounterpartData]
    policy: list[GroundData]
    reason: str


class MatchData(ExplanationData):
    """A match of a listing: the level in words, never a bare score."""

    listing: ListingData
    level: Literal["strong", "fair", "weak"]
    level_word: str


class MatchList(BaseModel):
    """The matches of a listing; when there is none, the nearest thing there was."""

    matches: list[MatchData]
    no_match: bool
    nearest: ListingData | None


class RecommendationData(BaseModel):
    """A pair recommended to the token's owner."""

    id: UUID
    progress: str
    level: str
    reason: str
    made_at: datetime
    demand: ListingData
    supply: ListingData


class RecommendationPage(BaseModel):
    """One page of a manager's recommendations."""

    total: int
    page: int
    results: list[RecommendationData]


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused and what to do."""

    status: int
    message: str
    remedy: str
    errors: list[FieldProblem]
    request_id: str
