"""What is recommended to whom: for every manager the judged pairs that concern it most, renewed as the market moves.

The door to what later parts call; decisions on single pairs stand in `decisions.py`, profiles in `profiles.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import log1p
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.accounts.tables import Role
from backend.desk import learning, pairs, repository, repository_cases
from backend.desk.choosing import Owners, choose, may_return
from backend.desk.data import recommendations_as_data
from backend.desk.pairs import fingerprint_of
from backend.desk.repository import ListingFacts, Tab
from backend.desk.scoring import Fit, Interest, PoolPair, nearness, score_pairs, traits_of, why
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
VECTOR_PAGE = 500
# A word of an expertise tells something when fewer than one in fifty passages of technical Chinese has it: ln(50).
TELLING_WEIGHT = 3.9


@dataclass(frozen=True)
class Pool:
    """Every judged pair that may be recommended now, with the vectors of its listings; the same for all managers."""

    pairs: Sequence[PoolPair]
    vectors: Mapping[UUID, Vector]
    published: frozenset[UUID]
    owners: Owners


@dataclass(frozen=True)
class Choice:
    """One pair chosen for a manager, with what was learned of its traits taken apart."""

    pair: PoolPair
    fit: Fit
    why: str
    traits: tuple[str, ...]


def load_pool(session: Session, platform: Platform) -> Pool:
    """Read what can be recommended now."""
    facts, fields = repository.load_facts(session), repository.load_fields(session)
    judged = [pair for pair in repository.find_pool(session) if {pair.supply_id, pair.demand_id} <= facts.keys()]
    owners = Owners({known: fact.organisation_id for known, fact in facts.items()})
    market = _Market(facts, fields, repository.count_others(session), _exposure(session, owners))
    ids = sorted({*(pair.supply_id for pair in judged), *(pair.demand_id for pair in judged)}, key=str)
    words = {known: frozenset(telling_words(" ".join((facts[known].title, *facts[known].keywords)))) for known in ids}
    vectors: dict[UUID, Vector] = {}
    for start in range(0, len(ids), VECTOR_PAGE):
        page = ids[start : start + VECTOR_PAGE]
        vectors |= matching_repository.load_vectors(session, page, encoder=platform.encoder.name)
    return Pool([_pool_pair(pair, market, words) for pair in judged], vectors, frozenset(facts), owners)


@dataclass(frozen=True)
class _Market:
    """What is known of published listings beside their vectors and words."""

    facts: Mapping[UUID, ListingFacts]
    fields: Mapping[UUID, frozenset[str]]
    others: Mapping[UUID, int]
    exposure: Mapping[UUID, float]


def _exposure(session: Session, owners: Owners) -> dict[UUID, float]:
    """Return how often each organisation stands in open queues, on a scale where the most frequent has 1."""
    counts: dict[UUID, int] = {}
    for listing_id, count in repository.count_open_by_listing(session).items():
        organisation_id = owners.organisation_of.get(listing_id)
        if organisation_id is not None:
            counts[organisation_id] = counts.get(organisation_id, 0) + count
    most = log1p(max(counts.values(), default=1))
    return {organisation_id: log1p(count) / most for organisation_id, count in counts.items()}


def _pool_pair(pair: JudgedPair, market: _Market, words: Mapping[UUID, frozenset[str]]) -> PoolPair:
    facts, fields = market.facts, market.fields
    supply, demand = facts[pair.supply_id], facts[pair.demand_id]
    shown = [market.exposure.get(side.organisation_id, 0.0) for side in (supply, demand)]
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
        industries=frozenset(code for code in (supply.industry_code, demand.industry_code) if code),
        others=market.others.get(demand.id, 0),
        shown_often=sum(shown) / len(shown),
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
    if repository_cases.is_away(session, manager_id, now.astimezone(LOCAL_ZONE).date()):
        return 0
    known = repository.find_recommendations(session, manager_id)
    profile = repository.find_profile(session, manager_id)
    interest = replace(interest_of(profile, platform), lessons=learning.effects_of(session, manager_id))
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
        industries=tuple(profile.industries),
    )


def _choose(
    pool: Pool,
    known: Mapping[tuple[UUID, UUID], Recommendation],
    interest: Interest,
    platform: Platform,
    *,
    now: datetime,
) -> list[Choice]:
    """Choose a manager's pairs, best first, each with the reason why it is here."""
    candidates = [pair for pair in pool.pairs if may_return(known.get(pair.key), pair, now=now)]
    cosines = nearness(pool.vectors, candidates, interest.vector)
    scored = score_pairs(candidates, interest, cosines, platform.catalogue, now=now)
    today = now.astimezone(LOCAL_ZONE).date()
    return [
        Choice(
            pair,
            fit,
            why(pair, fit, interest, platform.catalogue, today=today),
            traits_of(pair, platform.catalogue),
        )
        for pair, fit in choose(scored, known, pool.vectors, pool.owners)
    ]


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
    row.level, row.score = pair.level.value, choice.fit.score
    row.reason = row.reason if is_awaited and row.handed_by_id else choice.why
    row.detail = {"base": choice.fit.score - choice.fit.learned, "traits": list(choice.traits)}
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
