"""What is recommended to whom: for every manager the judged pairs that concern it most, renewed as the market moves.

The door to what later parts call; decisions on single pairs stand in `decisions.py`, profiles in `profiles.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.accounts.tables import Role
from backend.desk import pairs, repository
from backend.desk.data import recommendations_as_data
from backend.desk.pairs import fingerprint_of
from backend.desk.repository import ListingFacts, Tab
from backend.desk.scoring import Fit, Interest, PoolPair, nearness, score_pairs, why
from backend.desk.tables import JudgedPair, ManagerProfile, Progress, Recommendation
from backend.matching import repository as matching_repository
from backend.platform import Platform
from backend.web.pages import LOCAL_ZONE
from models.documents import Vector
from models.relevance import MatchLevel
from models.term_table import telling_words

__all__ = [
    "Pool",
    "find_waiting",
    "fingerprint_of",
    "load_pool",
    "recommend",
    "recommend_everyone",
    "recommend_to_all",
    "recommendations_as_data",
]

log = structlog.get_logger()
MOST_OPEN = 200
PER_DEMAND = 3
PER_SUPPLY = 2
VECTOR_PAGE = 500
# A word of an expertise tells something when fewer than one in fifty passages of technical Chinese has it: ln(50).
TELLING_WEIGHT = 3.9


@dataclass(frozen=True)
class Pool:
    """Every judged pair that may be recommended now, with the vectors of its listings; the same for all managers."""

    pairs: Sequence[PoolPair]
    vectors: Mapping[UUID, Vector]
    published: frozenset[UUID]


@dataclass(frozen=True)
class Choice:
    """One pair chosen for a manager."""

    pair: PoolPair
    fit: Fit
    why: str


def load_pool(session: Session, platform: Platform) -> Pool:
    """Read what can be recommended now."""
    facts, fields = repository.load_facts(session), repository.load_fields(session)
    judged = [pair for pair in repository.find_pool(session) if {pair.supply_id, pair.demand_id} <= facts.keys()]
    ids = sorted({*(pair.supply_id for pair in judged), *(pair.demand_id for pair in judged)}, key=str)
    words = {known: frozenset(telling_words(" ".join((facts[known].title, *facts[known].keywords)))) for known in ids}
    vectors: dict[UUID, Vector] = {}
    for start in range(0, len(ids), VECTOR_PAGE):
        page = ids[start : start + VECTOR_PAGE]
        vectors |= matching_repository.load_vectors(session, page, encoder=platform.encoder.name)
    return Pool([_pool_pair(pair, facts, fields, words) for pair in judged], vectors, frozenset(facts))


def _pool_pair(
    pair: JudgedPair,
    facts: Mapping[UUID, ListingFacts],
    fields: Mapping[UUID, frozenset[str]],
    words: Mapping[UUID, frozenset[str]],
) -> PoolPair:
    supply, demand = facts[pair.supply_id], facts[pair.demand_id]
    return PoolPair(
        supply_id=supply.id,
        demand_id=demand.id,
        level=MatchLevel(pair.level),
        judged=pair.score,
        fingerprint=pair.fingerprint,
        pairing=pair.pairing,
        supply_region=supply.region_code,
        demand_region=demand.region_code,
        fields=fields.get(supply.id, frozenset()) | fields.get(demand.id, frozenset()),
        words=words[supply.id] | words[demand.id],
        deadline=min((day for day in (supply.deadline_on, demand.deadline_on) if day), default=None),
        fresh_at=max(supply.updated_at, demand.updated_at),
    )


def recommend_everyone(platform: Platform, *, everything: bool = False) -> int:
    """Renew the recommendations of every manager in short transactions and return how many are new.

    Judging reads only: on SQLite nobody waits for it. `everything` forgets what was judged before.
    """
    with platform.reading() as session:
        judging = pairs.judge(session, platform, everything=everything)
    with platform.transaction() as session:
        pairs.keep(session, judging, now=platform.clock())
    with platform.reading() as session:
        pool, managers = load_pool(session, platform), repository.find_manager_ids(session)
    made = 0
    for manager_id in managers:
        with platform.transaction() as session:
            made += recommend(session, manager_id, platform, pool=pool)
    log.info(
        "desk.recommended", managers=len(managers), judged=len(judging.demand_ids), pairs=len(pool.pairs), made=made
    )
    return made


def recommend_to_all(session: Session, *, platform: Platform) -> int:
    """Renew the recommendations of every manager within one transaction and return how many are new."""
    pairs.keep(session, pairs.judge(session, platform), now=platform.clock())
    pool = load_pool(session, platform)
    return sum(
        recommend(session, manager_id, platform, pool=pool) for manager_id in repository.find_manager_ids(session)
    )


def recommend(session: Session, manager_id: UUID, platform: Platform, *, pool: Pool | None = None) -> int:
    """Renew the recommendations of one manager from the judged pairs and return how many are new or new again."""
    account = repository.lock_manager(session, manager_id)
    if account is None or account.role is not Role.MANAGER or not account.is_active:
        return 0
    now = platform.clock()
    known = repository.find_recommendations(session, manager_id)
    interest = interest_of(repository.find_profile(session, manager_id), platform)
    pool = pool or load_pool(session, platform)
    choices = _choose(pool, known, interest, platform, now=now)
    made = sum(_keep_choice(session, manager_id, choice, known.get(choice.pair.key), now=now) for choice in choices)
    _lapse_others(session, known, {choice.pair.key for choice in choices}, pool.published, now=now)
    session.flush()
    return made


def interest_of(profile: ManagerProfile | None, platform: Platform) -> Interest:
    """Return what a profile asks for, ready to be compared; somebody who said nothing cares for everything."""
    if profile is None:
        return Interest()
    if not profile.personalised:
        return Interest(personalised=False)
    expertise = profile.expertise.strip()
    table = platform.scorer.table
    told = {word for word in telling_words(expertise) if len(word) > 1 and table.word_weight(word) >= TELLING_WEIGHT}
    return Interest(
        regions=tuple(profile.regions),
        fields=tuple(profile.fields),
        words=frozenset(told),
        vector=platform.encoder.encode_queries([expertise])[0] if expertise else None,
        prefers_cross_region=profile.prefers_cross_region,
    )


def _choose(
    pool: Pool,
    known: Mapping[tuple[UUID, UUID], Recommendation],
    interest: Interest,
    platform: Platform,
    *,
    now: datetime,
) -> list[Choice]:
    """Choose a manager's pairs, best first: at most 3 of one demand, 2 of one supply and 200 in all."""
    candidates = [pair for pair in pool.pairs if _may_return(known.get(pair.key), pair, now=now)]
    cosines = nearness(pool.vectors, candidates, interest.vector)
    scored = score_pairs(candidates, interest, cosines, platform.catalogue, now=now)
    # What was put off until today was asked for: it comes before what nobody asked for.
    awaited = [entry for entry in scored if _is_awaited(known.get(entry[0].key))]
    others = [entry for entry in scored if not _is_awaited(known.get(entry[0].key))]
    today = now.astimezone(LOCAL_ZONE).date()
    taken: dict[UUID, int] = {}
    chosen: list[Choice] = []
    for pair, fit in chain(awaited, others):
        if len(chosen) == MOST_OPEN:
            break
        if taken.get(pair.demand_id, 0) >= PER_DEMAND or taken.get(pair.supply_id, 0) >= PER_SUPPLY:
            continue
        for listing_id in pair.key:
            taken[listing_id] = taken.get(listing_id, 0) + 1
        chosen.append(Choice(pair, fit, why(pair, fit, interest, platform.catalogue, today=today)))
    return chosen


def _may_return(row: Recommendation | None, pair: PoolPair, *, now: datetime) -> bool:
    """Tell whether a pair may stand in the queue: never one that was dismissed as it is, nor one put off or taken."""
    if row is None or row.progress in {Progress.OPEN, Progress.LAPSED}:
        return True
    if row.progress is Progress.DISMISSED:
        return row.fingerprint != pair.fingerprint
    return row.progress is Progress.SNOOZED and _is_due(row, now)


def _is_due(row: Recommendation, now: datetime) -> bool:
    return row.snoozed_until is not None and row.snoozed_until <= now


def _is_awaited(row: Recommendation | None) -> bool:
    return row is not None and row.progress is Progress.SNOOZED


def _keep_choice(
    session: Session, manager_id: UUID, choice: Choice, row: Recommendation | None, *, now: datetime
) -> bool:
    """Write one chosen pair into the queue and tell whether it is new there, or new again."""
    pair = choice.pair
    if row is None:
        row = Recommendation(
            manager_id=manager_id,
            supply_id=pair.supply_id,
            demand_id=pair.demand_id,
            level="",
            score=0.0,
            fingerprint="",
            made_at=now,
        )
    # A pair whose day has come stays marked as put off until it is decided on: that keeps it at the top of the queue.
    is_awaited = row.progress is Progress.SNOOZED
    is_new = not is_awaited and (row.progress is not Progress.OPEN or row.fingerprint != pair.fingerprint)
    if is_new:
        row.made_at = now
    if not is_awaited:
        row.progress, row.dismissal, row.decided_at = Progress.OPEN, None, None
    row.level, row.score, row.reason = pair.level.value, choice.fit.score, choice.why
    row.fingerprint = pair.fingerprint
    session.add(row)
    return is_new


def _lapse_others(
    session: Session,
    known: Mapping[tuple[UUID, UUID], Recommendation],
    chosen: set[tuple[UUID, UUID]],
    published: frozenset[UUID],
    *,
    now: datetime,
) -> None:
    """Take out of the queue what no longer belongs there; what was put off goes only when a listing is gone."""
    for key, row in known.items():
        is_over = row.progress is Progress.OPEN and key not in chosen
        is_gone = row.progress is Progress.SNOOZED and not published.issuperset(key)
        if is_over or is_gone:
            row.progress, row.decided_at, row.snoozed_until = Progress.LAPSED, now, None
            session.add(row)


def find_waiting(session: Session, manager_id: UUID, *, now: datetime, limit: int) -> Sequence[Recommendation]:
    """Return what waits in a manager's queue now, best first: both listings published, nobody at work on the pair."""
    return repository.find_rows(session, manager_id, Tab.OPEN, now=now, limit=limit)
