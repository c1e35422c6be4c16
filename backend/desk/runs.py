"""A run over all managers: the market is judged once, then parts of the managers are dealt with, by any workers.

A part may be done in any order, twice or by two workers at once: it starts from what its run has fixed, and a row of
the queue is written once. When a newer run has begun, the parts that an older one left do nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.desk import pairs, repository, repository_pool
from backend.desk.pool import load_pool
from backend.desk.service import prepare, recommend
from backend.jobs import enqueue
from backend.platform import Platform

log = structlog.get_logger()
# A part reads the pool anew, which costs as much as some hundred managers; more parts than workers even out.
MANAGERS_PER_PART = 500


@dataclass(frozen=True)
class Part:
    """The managers from one id to another, both included, of the run that judged the market at one moment."""

    at: datetime
    first: UUID
    last: UUID


def recommend_everyone(platform: Platform, *, everything: bool = False) -> int:
    """Renew the recommendations of every manager in short transactions and return how many are new.

    Judging reads only: on SQLite nobody waits for it. `everything` forgets what was judged before.
    """
    judging = _judge(platform, everything=everything)
    with platform.transaction() as session:
        parts = _begin(session, platform, judging)
    return sum(recommend_part(platform, part) for part in parts)


def start_run(platform: Platform, *, managers_per_part: int = MANAGERS_PER_PART) -> None:
    """Judge the market and queue the parts of a run."""
    judging = _judge(platform)
    with platform.transaction() as session:
        for part in _begin(session, platform, judging, managers_per_part=managers_per_part):
            key = f"desk.recommend_part:{part.at.isoformat()}:{judging.until}:{part.first}"
            at = part.at.isoformat()
            enqueue(session, "desk.recommend_part", key=key, at=at, first=part.first, last=part.last)


def recommend_part(platform: Platform, part: Part) -> int:
    """Renew the recommendations of some managers, one short transaction each, and return how many are new."""
    with platform.reading() as session:
        if not _is_current(session, platform, part):
            return 0
        pool = load_pool(session, platform)
        managers = repository.find_manager_ids(session, first=part.first, last=part.last)
        profiles = repository.find_profiles(session, managers)
    made = 0
    prepared = prepare([profiles.get(manager_id) for manager_id in managers], pool, platform)
    for manager_id, ready in zip(managers, prepared, strict=True):
        with platform.transaction() as session:
            made += recommend(session, manager_id, platform, pool=pool, prepared=ready, now=part.at)
    log.info("desk.recommended", managers=len(managers), pairs=len(pool.columns.pairs), made=made)
    return made


def recommend_to_all(session: Session, *, platform: Platform) -> int:
    """Renew the recommendations of every manager within one transaction and return how many are new."""
    pairs.keep(session, pairs.judge(session, platform), now=platform.clock())
    repository_pool.replace_exposure(session)
    pool, managers = load_pool(session, platform), repository.find_manager_ids(session)
    profiles = repository.find_profiles(session, managers)
    prepared = prepare([profiles.get(manager_id) for manager_id in managers], pool, platform)
    return sum(
        recommend(session, manager_id, platform, pool=pool, prepared=ready)
        for manager_id, ready in zip(managers, prepared, strict=True)
    )


def _judge(platform: Platform, *, everything: bool = False) -> pairs.Judging:
    with platform.reading() as session:
        return pairs.judge(session, platform, everything=everything)


def _begin(
    session: Session, platform: Platform, judging: pairs.Judging, *, managers_per_part: int = MANAGERS_PER_PART
) -> Sequence[Part]:
    """Keep what was judged and how often each organisation is shown, and divide the managers; nothing if overtaken."""
    at = platform.clock()
    if not pairs.keep(session, judging, now=at):
        return []
    repository_pool.replace_exposure(session)
    managers = repository.find_manager_ids(session)
    slices = [managers[start : start + managers_per_part] for start in range(0, len(managers), managers_per_part)]
    return [Part(at, some[0], some[-1]) for some in slices]


def _is_current(session: Session, platform: Platform, part: Part) -> bool:
    """Tell whether no newer run has begun than the one that a part belongs to."""
    mark = repository_pool.find_mark(session, platform.judging)
    return mark is not None and mark.judged_at <= part.at
