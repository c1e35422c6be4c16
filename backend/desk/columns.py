"""The pool as columns of numbers, so that all pairs are scored for a manager at once, and many managers in blocks.

What a pair scores here is what `scoring.fit_of` says of it; that function alone explains the pairs that are chosen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.desk import scoring
from backend.desk.lessons import WEIGHTS
from backend.desk.scoring import Interest, PoolPair, traits_of
from backend.policy.catalogue import Catalogue
from models.documents import Vector

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Matrix = NDArray[np.float32]
# Coordinates are rounded to multiples of 1/2,048: then every sum of products of two unit vectors is a multiple of
# 2 to the power of -22 below 2, which float32 holds exactly. A cosine is the same number alone and in any block, in
# whatever order a library adds, and lies within 0.001 of the true one.
STEPS = 2048
# One block of products of managers and listings takes at most so much memory.
BLOCK_NUMBERS = 16 * 1024 * 1024
# Rarely are more pairs looked at than these before a queue is full; the rest is put in order only then.
FIRST_PAIRS = 600
NO_DEADLINE = -1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND, DAY = timedelta(microseconds=1), timedelta(days=1)


@dataclass(frozen=True)
class Scores:
    """What every pair of a pool scores for one manager, whether it concerns the manager, and what near means."""

    values: Numbers
    concerned: Flags
    nearness: Numbers
    near_from: float


class PairColumns:
    """The pairs of a pool, in order of demand and supply, each attribute an array over them."""

    def __init__(self, pairs: Iterable[PoolPair], vectors: Mapping[UUID, Vector], catalogue: Catalogue) -> None:
        self.pairs = sorted(pairs, key=lambda pair: (str(pair.demand_id), str(pair.supply_id)))
        self.place_of = {pair.key: place for place, pair in enumerate(self.pairs)}
        self._catalogue = catalogue
        known = sorted({one for pair in self.pairs for one in pair.key} & vectors.keys(), key=str)
        row_of = {listing_id: row for row, listing_id in enumerate(known)}
        # Listings without a vector share a last row of zeros.
        self._supply_rows = np.array([row_of.get(pair.supply_id, len(known)) for pair in self.pairs], np.intp)
        self._demand_rows = np.array([row_of.get(pair.demand_id, len(known)) for pair in self.pairs], np.intp)
        self._listings = _on_grid(np.stack([vectors[one] for one in known])) if known else None
        self._fresh = np.array([(pair.fresh_at - EPOCH) // MICROSECOND for pair in self.pairs], np.int64)
        self._deadlines = np.array(
            [pair.deadline.toordinal() if pair.deadline else NO_DEADLINE for pair in self.pairs], np.int64
        )
        crosses = [_crosses(pair, catalogue) for pair in self.pairs]
        self._crossing = np.array(
            [
                (scoring.CROSS_REGION + scoring.NAMED_PAIRING * bool(pair.pairing)) * does
                for pair, does in zip(self.pairs, crosses, strict=True)
            ],
            np.float64,
        )
        self._lasting = np.array([_lasting(pair) for pair in self.pairs], np.float64)
        self._public: tuple[datetime, Numbers] | None = None

    def score(self, interest: Interest, cosines: Matrix | None, allowed: Flags, *, now: datetime) -> Scores:
        """Score all pairs for one manager; what near means is measured among those that are allowed.

        cosines: (n + 1,) float32, of the expertise with each listing, the last one 0; None without an expertise.
        """
        near = np.zeros(len(self.pairs))
        if cosines is not None:
            near = (cosines[self._supply_rows].astype(np.float64) + cosines[self._demand_rows]) / 2
        near_from = near_threshold(near[allowed])
        values = self._public_at(now).copy()
        if interest.prefers_cross_region or not interest.personalised:
            values += self._crossing
        if not interest.personalised:
            return Scores(values, allowed, near, near_from)
        fields, industries = self._having_field(interest.fields), self._in_industry(interest.industries)
        regions, words = self._in_region(interest.regions), self._having_word(interest.words)
        values += scoring.FIELD * fields + scoring.REGION * regions + scoring.INDUSTRY * industries
        values += scoring.EXPERTISE * np.maximum(near, 0.0) + scoring.EXPERTISE * words
        if interest.lessons:
            values += self._learned(interest.lessons)
        concerned = allowed & regions if interest.regions else allowed
        if interest.fields or interest.industries:
            stands_out = near >= near_from if interest.vector is not None else np.zeros(len(near), bool)
            concerned = concerned & (fields | industries | words | stands_out)
        return Scores(values, concerned, near, near_from)

    def cosines(self, expertise: Sequence[Vector | None]) -> Iterator[Matrix | None]:
        """Yield for each expertise (d,) its cosines (n + 1,) with all listings, multiplied in blocks."""
        if self._listings is None:
            yield from [None] * len(expertise)
            return
        rows = max(1, BLOCK_NUMBERS // (len(self._listings) + 1))
        for start in range(0, len(expertise), rows):
            block = expertise[start : start + rows]
            told = [vector for vector in block if vector is not None]
            products = np.zeros((len(told), len(self._listings) + 1), np.float32)
            if told:
                np.matmul(_on_grid(np.stack(told)), self._listings.T, out=products[:, :-1])
            found = iter(products)
            yield from (next(found) if vector is not None else None for vector in block)

    def _public_at(self, now: datetime) -> Numbers:
        """Return what all managers see alike in each pair: kept for the last moment asked, as a run has one."""
        if self._public is None or self._public[0] != now:
            age = (((now - EPOCH) // MICROSECOND) - self._fresh) // (DAY // MICROSECOND)
            fresh = scoring.FRESH * np.exp(-np.maximum(age, 0) / scoring.FRESH_DAYS)
            left = self._deadlines - now.date().toordinal()
            near = scoring.URGENT * np.maximum(0.0, 1 - left / scoring.URGENT_DAYS)
            urgency = np.where(left < 0, scoring.OVERDUE, near) * (self._deadlines != NO_DEADLINE)
            self._public = now, self._lasting + fresh + urgency
        return self._public[1]

    def _flags(self, places: Iterable[Places | None]) -> Flags:
        flags = np.zeros(len(self.pairs), bool)
        for found in places:
            if found is not None:
                flags[found] = True
        return flags

    def _having_field(self, codes: Iterable[str]) -> Flags:
        return self._flags(self._by_field.get(code) for code in codes)

    def _having_word(self, words: Iterable[str]) -> Flags:
        return self._flags(self._by_word.get(word) for word in words)

    def _in_industry(self, codes: Sequence[str]) -> Flags:
        return self._flags(
            places
            for industry, places in self._by_industry.items()
            if any(scoring.is_in(code, frozenset({industry})) for code in codes)
        )

    def _in_region(self, codes: Sequence[str]) -> Flags:
        contains = self._catalogue.contains
        return self._flags(
            places for region, places in self._by_region.items() if any(contains(code, region) for code in codes)
        )

    def _learned(self, effects: Mapping[str, float]) -> Numbers:
        """Return what lessons add to each pair: the mean effect of each kind of trait, weighted."""
        added = np.zeros(len(self.pairs))
        for kind, weight in WEIGHTS.items():
            sums, counts = np.zeros(len(self.pairs)), np.zeros(len(self.pairs))
            for trait, effect in effects.items():
                places = self._by_trait.get(trait) if trait.startswith(kind) else None
                if places is not None:
                    sums[places] += effect
                    counts[places] += 1
            added += weight * sums / np.maximum(counts, 1)
        return added

    @cached_property
    def _by_field(self) -> Mapping[str, Places]:
        return _places_by(pair.fields for pair in self.pairs)

    @cached_property
    def _by_word(self) -> Mapping[str, Places]:
        return _places_by(pair.words for pair in self.pairs)

    @cached_property
    def _by_industry(self) -> Mapping[str, Places]:
        return _places_by(pair.industries for pair in self.pairs)

    @cached_property
    def _by_region(self) -> Mapping[str, Places]:
        return _places_by({pair.supply_region, pair.demand_region} for pair in self.pairs)

    @cached_property
    def _by_trait(self) -> Mapping[str, Places]:
        return _places_by(traits_of(pair, self._catalogue) for pair in self.pairs)


def best_first(values: Numbers, chosen: Places) -> Iterator[int]:
    """Yield these places of an array, the largest value first, equal ones by place; few are put in order at first."""
    floor = -np.inf
    if len(chosen) > FIRST_PAIRS:
        floor = np.partition(values[chosen], len(chosen) - FIRST_PAIRS)[len(chosen) - FIRST_PAIRS]
    reach = values[chosen] >= floor
    for part in (chosen[reach], chosen[~reach]):
        yield from part[np.argsort(-values[part], kind="stable")].tolist()


def near_threshold(cosines: Numbers) -> float:
    """Return the cosine from which a pair stands out of its pool; infinite where the pool is too small to say."""
    if len(cosines) < scoring.SMALLEST_POOL:
        return float("inf")
    return float(np.mean(cosines) + scoring.NEAR_DEVIATIONS * np.std(cosines))


def _on_grid(vectors: Matrix) -> Matrix:
    """Return vectors with coordinates rounded so that their products are exact."""
    rounded: Matrix = np.rint(vectors * np.float32(STEPS)) / np.float32(STEPS)
    return rounded


def _places_by(values: Iterable[Iterable[str]]) -> dict[str, Places]:
    places: dict[str, list[int]] = {}
    for place, words in enumerate(values):
        for word in words:
            places.setdefault(word, []).append(place)
    return {word: np.array(found, np.intp) for word, found in places.items()}


def _crosses(pair: PoolPair, catalogue: Catalogue) -> bool:
    return catalogue.province_of(pair.supply_region) != catalogue.province_of(pair.demand_region)


def _lasting(pair: PoolPair) -> float:
    """Return the part of a pair's score that neither a manager nor a day changes."""
    crowd = scoring.CROWDED * pair.others + scoring.SHOWN_OFTEN * pair.shown_often
    return pair.level.order + scoring.WITHIN_LEVEL * pair.judged + crowd
