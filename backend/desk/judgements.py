"""Judged and explained pairs, kept in the process: a queue shows the same pairs again and again.

A judgement depends on the two texts and the model alone, so the key holds the hash of both contents; what a reader may
see of it is decided afterwards, each time.
"""

from collections import OrderedDict
from threading import Lock
from weakref import WeakKeyDictionary

from backend.listings.repository import ListingBundle
from backend.matching.bridges import Pair
from backend.matching.pair_page import judge_pair
from backend.platform import Platform
from models.relevance import PairScorer

# About 5 kB each: 20 MB at most in a process.
MOST_KEPT = 4096
_kept: "WeakKeyDictionary[PairScorer, OrderedDict[tuple[str, ...], Pair]]" = WeakKeyDictionary()
_lock = Lock()


def judged(demand: ListingBundle, supply: ListingBundle, *, platform: Platform) -> Pair:
    """Return a pair with its level and reasons, judged now or kept from before."""
    sides = (demand.listing, supply.listing)
    key = tuple(part for side in sides for part in (str(side.id), side.content_hash))
    with _lock:
        known = _kept.setdefault(platform.scorer, OrderedDict())
        found = known.get(key)
        if found is not None:
            known.move_to_end(key)
            return Pair(demand, supply, found.level, found.explanation)
    pair = judge_pair(demand, supply, platform=platform)
    with _lock:
        known[key] = pair
        while len(known) > MOST_KEPT:
            known.popitem(last=False)
    return pair
