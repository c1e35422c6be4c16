"""Judged pairs, remembered for as long as neither side says anything else: many digests show the same pairs."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from backend.listings.repository import ListingBundle
from backend.matching.bridges import Pair
from backend.matching.explanation import Explanation
from backend.matching.pair_page import judge_pair
from backend.platform import Platform
from models.relevance import MatchLevel

# One entry is a few kilobytes of words.
MOST_KEPT = 4096
Mark = tuple[str, int, str]
Key = tuple[str, Mark, Mark]


@dataclass
class JudgedPairs:
    """What was thought of the pairs judged last; the least used go first."""

    _kept: "OrderedDict[Key, tuple[MatchLevel, Explanation]]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def judge(self, demand: ListingBundle, supply: ListingBundle, *, platform: Platform) -> Pair:
        """Return a pair with its level and its reasons."""
        key: Key = (platform.encoder.name, _mark(demand), _mark(supply))
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
        if known is not None:
            return Pair(demand, supply, *known)
        pair = judge_pair(demand, supply, platform=platform)
        with self._lock:
            self._kept[key] = pair.level, pair.explanation
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return pair


def _mark(bundle: ListingBundle) -> Mark:
    """Return what changes when a listing says something else."""
    return str(bundle.id), bundle.listing.version, bundle.listing.content_hash


judged_pairs = JudgedPairs()
