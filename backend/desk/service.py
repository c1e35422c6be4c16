"""What is recommended to whom: for every manager the judged pairs that concern it most, renewed as the market moves.

The door to what later parts call; decisions on single pairs stand in `decisions.py`, profiles in `profiles.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlmodel import Session

from backend.accounts.tables import Role
from backend.desk import learning, repository, repository_cases
from backend.desk.choosing import choose, is_awaited, may_return
from backend.desk.columns import Flags, Matrix, best_first
from backend.desk.data import recommendations_as_data
from backend.desk.pairs import fingerprint_of
from backend.desk.pool import Pool, load_pool
from backend.desk.repository import Tab
from backend.desk.scoring import Fit, Interest, PoolPair, fit_of, traits_of, why
from backend.desk.tables import ManagerProfile, Progress, Recommendation
from backend.platform import Platform
from backend.web.pages import LOCAL_ZONE
from models.term_table import telling_words

__all__ = [
    "Pool",
    "find_waiting",
    "fingerprint_of",
    "load_pool",
    "prepare",
    "recommend",
    "recommendations_as_data",
]

# A word of an expertise tells something when fewer than one in fifty passages of technical Chinese has it: ln(50).
TELLING_WEIGHT = 3.9
Known = Mapping[tuple[UUID, UUID], Recommendation]


@dataclass(frozen=True)
class Prepared:
    """What a profile asks for, compared with every listing of a pool."""

    said_at: datetime | None
    """When the profile was kept that this was made from; None for no profile."""
    interest: Interest
    cosines: Matrix | None


@dataclass(frozen=True)
class Choice:
    """One pair chosen for a manager, with what was learned of its traits taken apart."""

    pair: PoolPair
    fit: Fit
    why: str
    traits: tuple[str, ...]


def prepare(profiles: Sequence[ManagerProfile | None], pool: Pool, platform: Platform) -> Iterator[Prepared]:
    """Yield for each profile what it asks for; all are encoded at once and compared with the pool in blocks.

    Somebody who said nothing cares for everything.
    """
    spoken = [(profile.expertise.strip() if profile and profile.personalised else "") for profile in profiles]
    told = [text for text in spoken if text]
    encoded = iter(platform.encoder.encode_queries(told)) if told else iter(())
    vectors = [next(encoded) if text else None for text in spoken]
    interests = [_interest(profile, vector, platform) for profile, vector in zip(profiles, vectors, strict=True)]
    for profile, interest, cosines in zip(profiles, interests, pool.columns.cosines(vectors), strict=True):
        yield Prepared(profile.updated_at if profile else None, interest, cosines)


def _interest(profile: ManagerProfile | None, vector: Matrix | None, platform: Platform) -> Interest:
    if profile is None:
        return Interest()
    if not profile.personalised:
        return Interest(personalised=False)
    table = platform.scorer.table
    words = telling_words(profile.expertise.strip())
    return Interest(
        regions=tuple(profile.regions),
        fields=tuple(profile.fields),
        words=frozenset(word for word in words if len(word) > 1 and table.word_weight(word) >= TELLING_WEIGHT),
        vector=vector,
        prefers_cross_region=profile.prefers_cross_region,
        industries=tuple(profile.industries),
    )


def recommend(
    session: Session,
    manager_id: UUID,
    platform: Platform,
    *,
    pool: Pool | None = None,
    prepared: Prepared | None = None,
    now: datetime | None = None,
) -> int:
    """Renew the recommendations of one manager from the judged pairs and return how many are new or new again.

    `prepared` is not used when the profile was changed since.
    """
    account = repository.lock_manager(session, manager_id)
    if account is None or account.role is not Role.MANAGER or not account.is_active:
        return 0
    now = now or platform.clock()
    if repository_cases.is_away(session, manager_id, now.astimezone(LOCAL_ZONE).date()):
        return 0
    known = repository.find_recommendations(session, manager_id)
    profile = repository.find_profile(session, manager_id)
    pool = pool or load_pool(session, platform)
    if prepared is None or prepared.said_at != (profile.updated_at if profile else None):
        prepared = next(prepare([profile], pool, platform))
    interest = replace(prepared.interest, lessons=learning.effects_of(session, manager_id))
    choices = _choose(pool, known, replace(prepared, interest=interest), platform, now=now)
    made = sum(_keep_choice(session, manager_id, choice, known.get(choice.pair.key), now=now) for choice in choices)
    _lapse_others(session, known, {choice.pair.key for choice in choices}, pool.published, now=now)
    session.flush()
    return made


def _choose(pool: Pool, known: Known, prepared: Prepared, platform: Platform, *, now: datetime) -> list[Choice]:
    """Choose a manager's pairs, best first, each with the reason why it is here."""
    columns, interest, catalogue = pool.columns, prepared.interest, platform.catalogue
    allowed, awaited = _open_places(pool, known, now=now)
    scores = columns.score(interest, prepared.cosines, allowed, now=now)
    # What was put off until today was asked for and comes first.
    order = (
        place
        for part in (scores.concerned & awaited, scores.concerned & ~awaited)
        for place in best_first(scores.values, np.flatnonzero(part))
    )
    today = now.astimezone(LOCAL_ZONE).date()
    choices = []
    for pair in choose((columns.pairs[place] for place in order), pool.vectors, pool.owners):
        near = float(scores.nearness[columns.place_of[pair.key]])
        fit = fit_of(pair, interest, near, catalogue, near_from=scores.near_from, now=now)
        reason = why(pair, fit, interest, catalogue, today=today)
        choices.append(Choice(pair, fit, reason, traits_of(pair, catalogue)))
    return choices


def _open_places(pool: Pool, known: Known, *, now: datetime) -> tuple[Flags, Flags]:
    """Tell of each pair of a pool whether it may stand in a queue, and whether it is waited for there."""
    columns = pool.columns
    allowed, awaited = np.ones(len(columns.pairs), bool), np.zeros(len(columns.pairs), bool)
    for key, row in known.items():
        place = columns.place_of.get(key)
        if place is not None:
            allowed[place] = may_return(row, columns.pairs[place], now=now)
            awaited[place] = is_awaited(row)
    return allowed, awaited


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
    known: Known,
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
