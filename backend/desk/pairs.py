"""Which supply answers which demand, judged once for all managers and kept; only what changed is judged again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlmodel import Session

from backend.desk import repository_pool
from backend.desk.tables import JudgedPair, JudgingMark
from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import repository as matching_repository
from backend.matching import service as matching
from backend.matching.explanation import pair_text
from backend.matching.grounds import find_grounds
from backend.matching.service import RankedListing
from backend.platform import Platform
from backend.policy.catalogue import Catalogue
from models.relevance import MatchLevel

# So many of a demand's best supplies are kept: enough for managers of different places to find theirs.
PAIRS_PER_DEMAND = 12
PAGE = 200
LONGEST_PAIRING = 300


@dataclass(frozen=True)
class Judging:
    """What one run found: all pairs of the demands that it looked at, as of one change of the market."""

    encoder: str
    after: int | None
    """The change up to which earlier runs had looked; None when everything was judged anew."""
    until: int
    demand_ids: Sequence[UUID]
    pairs: Sequence[JudgedPair]


def fingerprint_of(supply_hash: str, demand_hash: str) -> str:
    """Return what changes when either side of a pair says something else: 64 hex digits."""
    return sha256(f"{supply_hash}:{demand_hash}".encode()).hexdigest()


def judge(session: Session, platform: Platform, *, everything: bool = False) -> Judging:
    """Judge the pairs of every demand that a change since the last run may concern; write nothing."""
    encoder = platform.judging
    until = matching_repository.last_change(session)
    mark = None if everything else repository_pool.find_mark(session, encoder)
    if mark is None:
        demand_ids = list(listings.find_published_ids(session, kind=Kind.DEMAND))
    else:
        demand_ids = _concerned(
            session, repository_pool.find_changed_ids(session, after=mark.change, until=until), platform
        )
    pairs = [pair for bundle in _bundles(session, demand_ids) for pair in _judge_demand(session, bundle, platform)]
    return Judging(encoder, mark.change if mark else None, until, demand_ids, pairs)


def keep(session: Session, judging: Judging, *, now: datetime) -> bool:
    """Write what a run found and return True, unless another run has kept something newer meanwhile."""
    mark = repository_pool.lock_mark(session, judging.encoder)
    if mark is not None and mark.change > judging.until:
        return False
    if judging.after is None:
        repository_pool.clear_pairs(session, encoder=judging.encoder)
    elif mark is None:
        # A run of another encoder or ranker cleared the table meanwhile: what this one has is only a part.
        return False
    repository_pool.replace_pairs(session, judging.demand_ids, judging.pairs)
    session.merge(JudgingMark(encoder=judging.encoder, change=judging.until, judged_at=now))
    session.flush()
    return True


def _concerned(session: Session, changed: Sequence[UUID], platform: Platform) -> list[UUID]:
    """Return the demands to judge again: those that changed, and those that a changed supply answers or answered."""
    bundles = listings.load_bundles(session, changed)
    supplies = [bundle for bundle in bundles.values() if bundle.listing.kind is Kind.SUPPLY]
    found = {bundle.id for bundle in bundles.values() if bundle.listing.kind is Kind.DEMAND}
    found |= set(repository_pool.find_demands_of(session, [bundle.id for bundle in supplies]))
    for bundle in supplies:
        if bundle.is_visible:
            found |= {entry.bundle.id for entry in _fitting(session, bundle, platform)}
    return sorted(found, key=str)


def _fitting(session: Session, bundle: ListingBundle, platform: Platform) -> list[RankedListing]:
    ranked = matching.rank_candidates(
        session, pair_text(bundle), kind=bundle.listing.kind, platform=platform, exclude=bundle.id
    )
    return [entry for entry in ranked if entry.level is not MatchLevel.NONE]


def _bundles(session: Session, ids: Sequence[UUID]) -> Iterator[ListingBundle]:
    for start in range(0, len(ids), PAGE):
        for bundle in listings.load_bundles(session, ids[start : start + PAGE]).values():
            if bundle.is_visible:
                yield bundle


def _judge_demand(session: Session, demand: ListingBundle, platform: Platform) -> list[JudgedPair]:
    now = platform.clock()
    return [
        JudgedPair(
            demand_id=demand.id,
            supply_id=entry.bundle.id,
            level=entry.level.value,
            score=entry.score,
            fingerprint=fingerprint_of(entry.bundle.listing.content_hash, demand.listing.content_hash),
            pairing=_pairing(demand, entry.bundle, platform.catalogue),
            judged_at=now,
            features=dict(entry.features),
            ranker=platform.scorer.name,
        )
        for entry in _fitting(session, demand, platform)[:PAIRS_PER_DEMAND]
    ]


def _pairing(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> str:
    """Return what Article 5 says of two places, naming whose text it is."""
    named = [ground for ground in find_grounds(demand, supply, catalogue) if ground.cite.endswith("第五条")]
    return f"{named[0].cite}：{named[0].text}"[:LONGEST_PAIRING] if named else ""
