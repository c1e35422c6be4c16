"""Vectors of listings, the sequence of changes that every index follows, and what people said of matches."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class ListingVector(SQLModel, table=True):
    """The embedding of one listing's content by one encoder: little-endian float32, unit length."""

    listing_id: UUID = Field(foreign_key="listing.id", primary_key=True)
    encoder: str = Field(max_length=80, primary_key=True)
    content_hash: str = Field(max_length=64)
    dimension: int
    vector: bytes = Field(sa_type=sa.LargeBinary)
    made_at: datetime = Field(sa_type=UtcTime)


class IndexChange(SQLModel, table=True):
    """One change that every index has to follow. `seq` is in commit order: see `repository.append_change`."""

    __table_args__ = {"sqlite_autoincrement": True}

    seq: int | None = Field(default=None, primary_key=True)
    listing_id: UUID = Field(index=True)
    at: datetime = Field(sa_type=UtcTime)


class Verdict(StrEnum):
    """What a person said of a match."""

    FITS = "fits"
    UNFIT = "unfit"
    LATER = "later"


class MatchFeedback(SQLModel, table=True):
    """What one person said of one pair, with what was shown to them."""

    __table_args__ = (sa.UniqueConstraint("account_id", "supply_id", "demand_id", name="uq_match_feedback"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    supply_id: UUID = Field(foreign_key="listing.id", index=True)
    demand_id: UUID = Field(foreign_key="listing.id", index=True)
    verdict: Verdict = Field(sa_column=Column(EnumText(Verdict, 10), nullable=False))
    reason: str = Field(default="", max_length=40)
    level_shown: str = Field(default="", max_length=10)
    rank_shown: int = 0
    features: dict[str, float] | None = Field(
        default=None,
        sa_column=Column(sa.JSON(none_as_null=True), nullable=True),
        description="what the judgement that was shown rested on, by name; none where it is not known",
    )
    ranker_shown: str | None = Field(default=None, max_length=80, description="name of the ranker that judged it")
    at: datetime = Field(sa_type=UtcTime)


class SavedSearch(SQLModel, table=True):
    """A search that somebody wants to make again: what its address held, under a name of its owner's.

    `fingerprint` is the same for searches that ask the same; `told_at` says when a digest last told of it.
    """

    __table_args__ = (sa.UniqueConstraint("account_id", "fingerprint", name="uq_saved_search"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    name: str = Field(max_length=60)
    parameters: dict[str, Any] = Field(sa_column=Column(sa.JSON, nullable=False))
    fingerprint: str = Field(max_length=64)
    in_digest: bool = True
    created_at: datetime = Field(sa_type=UtcTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcTime)
