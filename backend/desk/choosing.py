"""Which pairs a manager gets, of all that were scored: the best, but no flood of one demand or of near-equal pairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from backend.desk.scoring import PoolPair
from backend.desk.tables import Progress, Recommendation
from models.documents import Vector

MOST_OPEN = 200
PER_DEMAND, PER_SUPPLY = 3, 2
# An organisation has at most this part of a queue, so that those who post most do not crowd out the others.
ORGANISATION_SHARE = 0.15
LEAST_PER_ORGANISATION = 6
# Two pairs are near-equal when both their sides say nearly the same; one such neighbour is let in, no more.
NEAR_EQUAL_COSINE, NEAR_EQUALS = 0.95, 2


@dataclass(frozen=True)
class Owners:
    """Whose the listings are."""

    organisation_of: Mapping[UUID, UUID]

    def of(self, pair: PoolPair) -> set[UUID]:
        """Return the one or two organisations of a pair."""
        return {self.organisation_of[one] for one in pair.key if one in self.organisation_of}


def choose(pairs: Iterable[PoolPair], vectors: Mapping[UUID, Vector], owners: Owners) -> list[PoolPair]:
    """Choose a manager's pairs of those that are given best first; no more of them are looked at than are needed."""
    crowd = _Crowd(vectors, owners)
    chosen: list[PoolPair] = []
    for pair in pairs:
        if crowd.has_room_for(pair):
            crowd.add(pair)
            chosen.append(pair)
            if len(chosen) == MOST_OPEN:
                break
    return chosen


class _Crowd:
    """What was chosen so far, counted by listing, organisation and likeness."""

    def __init__(self, vectors: Mapping[UUID, Vector], owners: Owners) -> None:
        self._vectors = vectors
        self._owners = owners
        self._listings: dict[UUID, int] = {}
        self._organisations: dict[UUID, int] = {}
        self._supplies: Vector = np.empty((0, 0), np.float32)
        self._demands = self._supplies
        self._sides = 0
        self._limit = max(LEAST_PER_ORGANISATION, int(MOST_OPEN * ORGANISATION_SHARE))

    def has_room_for(self, pair: PoolPair) -> bool:
        """Tell whether one more such pair would be no flood."""
        if self._listings.get(pair.demand_id, 0) >= PER_DEMAND or self._listings.get(pair.supply_id, 0) >= PER_SUPPLY:
            return False
        if any(self._organisations.get(one, 0) >= self._limit for one in self._owners.of(pair)):
            return False
        return self._near_equals(pair) < NEAR_EQUALS

    def add(self, pair: PoolPair) -> None:
        """Count a chosen pair."""
        for listing_id in pair.key:
            self._listings[listing_id] = self._listings.get(listing_id, 0) + 1
        for organisation_id in self._owners.of(pair):
            self._organisations[organisation_id] = self._organisations.get(organisation_id, 0) + 1
        sides = self._sides_of(pair)
        if sides is not None:
            if not self._sides:
                self._supplies, self._demands = (np.empty((MOST_OPEN, len(side)), np.float32) for side in sides)
            self._supplies[self._sides], self._demands[self._sides] = sides
            self._sides += 1

    def _near_equals(self, pair: PoolPair) -> int:
        sides = self._sides_of(pair)
        if sides is None or not self._sides:
            return 0
        supplies, demands = self._supplies[: self._sides] @ sides[0], self._demands[: self._sides] @ sides[1]
        return int(np.count_nonzero(np.minimum(supplies, demands) >= NEAR_EQUAL_COSINE))

    def _sides_of(self, pair: PoolPair) -> tuple[Vector, Vector] | None:
        supply, demand = self._vectors.get(pair.supply_id), self._vectors.get(pair.demand_id)
        return (supply, demand) if supply is not None and demand is not None else None


def may_return(row: Recommendation | None, pair: PoolPair, *, now: datetime) -> bool:
    """Tell whether a pair may stand in the queue: not one dismissed as it is, put off, passed on or taken."""
    if row is None or row.progress in {Progress.OPEN, Progress.LAPSED}:
        return True
    if row.progress is Progress.DISMISSED:
        return row.fingerprint != pair.fingerprint
    return row.progress is Progress.SNOOZED and row.snoozed_until is not None and row.snoozed_until <= now


def is_awaited(row: Recommendation | None) -> bool:
    """Tell whether somebody put a pair off, or passed it on, so that it is waited for."""
    return row is not None and row.progress is Progress.SNOOZED
