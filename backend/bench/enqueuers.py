"""Kill whoever opens an edition, and let several open the same one at once: one row for each key all the same."""

import multiprocessing
import random
import signal
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import repeat
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import select

from backend.assembly import build_platform
from backend.bench.market import MONDAY, fill, make_platform, make_settings
from backend.database import build_engine
from backend.digests import service
from backend.digests.message import CATEGORY
from backend.digests.tables import Digest, DigestEdition
from backend.digests.week import Week
from backend.mail.tables import OutboxMessage
from backend.platform import Platform
from backend.process import die_with_parent
from backend.settings import Settings

READERS = 30
PROCESSES = 4
LONGEST_LIFE_SECONDS = 0.8


@dataclass(frozen=True)
class Enqueued:
    """What was there afterwards."""

    enqueuer_kills: int
    racing_rounds: int
    racing_processes: int
    keys_without_a_row: int
    keys_with_more_rows: int
    editions_wrong: int

    @property
    def is_clean(self) -> bool:
        """Tell whether every key has one row and every week one edition."""
        return not (self.keys_without_a_row or self.keys_with_more_rows or self.editions_wrong)

    def as_data(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def run_enqueuers(*, kills: int, rounds: int, seed: int, database_url: str = "") -> Enqueued:
    """Kill an enqueuer so many times over a run of weeks, then race for so many more weeks."""
    chance = random.Random(seed)  # noqa: S311 - reproducible chance
    with tempfile.TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        settings = make_settings(Path(folder), database_url=database_url)
        platform = make_platform(settings, clock=lambda: MONDAY)
        fill(platform, readers=READERS, topics=2)
        weeks = _weeks(Week.of(MONDAY), max(1, kills // 10) + rounds)
        killed, raced = weeks[:-rounds] if rounds else weeks, weeks[-rounds:] if rounds else []
        for number in range(kills):
            _kill_one(settings, killed[number % len(killed)], chance)
        for week in killed:
            _open_and_compose(platform, week)
        _race(settings, raced)
        for week in raced:
            _open_and_compose(platform, week)
        result = _count(platform, weeks, kills=kills, rounds=rounds)
        platform.database.dispose()
    return result


def _weeks(first: Week, count: int) -> list[Week]:
    found = [first]
    for _ in repeat(None, count - 1):
        found.append(found[-1].next())
    return found


def _kill_one(settings: Settings, week: Week, chance: random.Random) -> None:
    process = multiprocessing.get_context("fork").Process(target=_enqueue, args=(settings, week))
    process.start()
    time.sleep(chance.uniform(0.0, LONGEST_LIFE_SECONDS))
    process.kill()
    process.join()


def _enqueue(settings: Settings, week: Week) -> None:
    die_with_parent()
    _open_and_compose(_own_platform(settings), week)


def _own_platform(settings: Settings) -> Platform:
    """Join a platform with connections of its own: those of the parent may not be shared."""
    engine: Engine = build_engine(settings.database_url, is_pooled=False)
    return build_platform(settings, database=engine, clock=lambda: MONDAY)


def _open_and_compose(platform: Platform, week: Week) -> None:
    with platform.transaction() as session:
        due = service.open_edition(session, week, now=MONDAY)
    for account_id in due:
        with platform.transaction() as session:
            service.compose_digest(session, account_id, week, platform=platform)


def _race(settings: Settings, weeks: list[Week]) -> None:
    """Let several processes open and compose the same weeks, each week at the same moment."""
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(PROCESSES)
    racers = [fork.Process(target=_run_race, args=(settings, weeks, barrier)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()


def _run_race(settings: Settings, weeks: list[Week], barrier: Barrier) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    platform = _own_platform(settings)
    for week in weeks:
        barrier.wait(timeout=120)
        _open_and_compose(platform, week)


def _count(platform: Platform, weeks: list[Week], *, kills: int, rounds: int) -> Enqueued:
    with platform.reading() as session:
        rows = Counter(session.exec(select(Digest.week, Digest.account_id)).all())
        mails = Counter(session.exec(select(OutboxMessage.key).where(OutboxMessage.category == CATEGORY)).all())
        editions = session.exec(select(DigestEdition.week)).all()
    return Enqueued(
        enqueuer_kills=kills,
        racing_rounds=rounds,
        racing_processes=PROCESSES,
        keys_without_a_row=len(weeks) * READERS - len(rows),
        keys_with_more_rows=sum(count > 1 for count in rows.values()) + sum(count > 1 for count in mails.values()),
        editions_wrong=len(set(editions) ^ {week.key for week in weeks}) + len(editions) - len(set(editions)),
    )
