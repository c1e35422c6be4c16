"""What the retrieval engine is given and what it answers: documents, changes, filters, candidates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["supply", "demand"]
KINDS: tuple[Kind, ...] = ("supply", "demand")
REGION_DIGITS = 6
MOST_MATURE = 5
HIGHEST_PRICE = 10**15  # yuan; far above any, far below what 64 bits hold
UNIT_TOLERANCE = 1e-3  # of a vector's length; float32 rounding stays below 1e-6, float16 storage below 5e-4

Vector = NDArray[np.float32]
"""A unit vector (d,) float32, or a matrix (n, d) float32 with rows of unit length."""


class Dimension(StrEnum):
    """An attribute whose values can be counted under a filter."""

    KIND = "kind"
    REGION = "region"
    PARK = "park"
    FIELDS = "fields"
    MATURITY = "maturity"
    MODES = "modes"


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One published listing as the index sees it; equal when everything but the vector is equal."""

    id: str
    kind: Kind
    title: str
    """Normal form, like `keywords` and `body`: what BM25 counts words of."""
    keywords: str
    body: str
    vector: Vector = field(compare=False, repr=False)
    """(d,) float32 of unit length, or all zero when the text says nothing to the encoder."""
    region: str
    """Six digits of GB/T 2260, counted and filtered exactly as written."""
    content_hash: str
    published_at: int = 0
    """Seconds since 1970 in UTC."""
    park: str | None = None
    fields: frozenset[str] = frozenset()
    maturity: int = 0
    """0 is unknown; 1 (in development) to 5 (production ready) are ordered."""
    modes: frozenset[str] = frozenset()
    price_low: int | None = None
    """Yuan. With only one end stated the range is open at the other; with neither the price is unknown."""
    price_high: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind: {self.kind!r}")
        if len(self.region) != REGION_DIGITS or not self.region.isascii() or not self.region.isdigit():
            raise ValueError(f"a region is six digits: {self.region!r}")
        if not 0 <= self.maturity <= MOST_MATURE:
            raise ValueError(f"maturity is 0 to {MOST_MATURE}: {self.maturity}")
        for price in (self.price_low, self.price_high):
            if price is not None and not 0 <= price <= HIGHEST_PRICE:
                raise ValueError(f"a price is 0 to {HIGHEST_PRICE} yuan: {price}")
        check_vector(self.vector)


def check_vector(vector: Vector, dimension: int | None = None) -> None:
    """Refuse a vector that is not (d,) float32, finite, and of unit length or zero.

    Raises: ValueError naming what is wrong.
    """
    if vector.ndim != 1 or vector.dtype != np.float32:
        raise ValueError(f"a vector is (d,) float32: {vector.shape} {vector.dtype}")
    if dimension is not None and len(vector) != dimension:
        raise ValueError(f"a vector of {dimension} numbers was expected: {len(vector)}")
    length = float(np.linalg.norm(vector))
    if length != 0 and not abs(length - 1) <= UNIT_TOLERANCE:
        raise ValueError(f"a vector has unit length or is zero: {length}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFilter:
    """Predicates that all must hold; an empty set or None asks nothing.

    `regions` are six-digit codes compared for equality: the caller lists every code that belongs to the places meant.
    `fields` and `modes` hold when any one agrees. A price range holds when it overlaps the asked range.
    """

    kind: Kind | None = None
    regions: frozenset[str] = frozenset()
    parks: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    maturity_at_least: int = 0
    price_at_least: int | None = None
    price_at_most: int | None = None
    published_since: int | None = None
    unknown_passes: bool = False
    """Whether a document that states no fields, modes, maturity or price passes the predicate on it."""
    exclude: frozenset[str] = frozenset()
    """Ids that are never returned nor counted."""
    only: frozenset[str] | None = None
    """When given, the only ids that may be returned or counted (empty: none)."""


ANY = IndexFilter()


@dataclass(frozen=True, slots=True)
class Upsert:
    """Add a document or replace the one of the same id, as change number `sequence` of the database."""

    sequence: int
    document: IndexDocument

    @property
    def id(self) -> str:
        """Return the id of the changed document."""
        return self.document.id


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a document out, as change number `sequence` of the database; an id that is absent is no error."""

    sequence: int
    id: str


Change = Upsert | Remove


class Candidate(NamedTuple):
    """One retrieved document with what each side says of it; ranks count from 1.

    A rank, and the lexical score, are None when the side did not have the document among its first `limit`.
    """

    id: str
    dense_score: float | None
    """Cosine, -1 to 1; given whenever the query had a vector."""
    lexical_score: float | None
    """BM25, unitless, above 0; comparable within one query only."""
    dense_rank: int | None
    lexical_rank: int | None
    fused_score: float
    """Reciprocal rank fusion of the two ranks, unitless."""


class SearchEngine(Protocol):
    """Documents under filters, found by meaning and by words; every method may be called from any thread."""

    def retrieve(
        self, vector: Vector | None, terms: Mapping[str, float], where: IndexFilter = ANY, limit: int = 200
    ) -> list[Candidate]:
        """Return the best `limit` by cosine and the best `limit` by BM25, fused, best first.

        `vector` is (d,) float32 of unit length, or None for words only; `terms` maps each query term to its
        weight above 0 (see `models.bm25.term_weights`), and may be empty.
        """
        ...

    def neighbours(self, vector: Vector, where: IndexFilter = ANY, limit: int = 20) -> list[tuple[str, float]]:
        """Return the ids nearest to a (d,) unit vector with their cosines, best first."""
        ...

    def count(self, where: IndexFilter = ANY) -> int:
        """Return how many documents pass a filter, exactly."""
        ...

    def facet_counts(self, where: IndexFilter, dimension: Dimension) -> dict[str, int]:
        """Return how many documents under a filter have each value of a dimension, exactly and without zeros."""
        ...

    def content_hashes(self) -> dict[str, str]:
        """Return the content hash of every document by id."""
        ...

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes visible to the next query, all at once; for one id the highest sequence wins."""
        ...
