"""All managers at once get what each would get alone, in whatever parts, order and number of workers it is done."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from encoders import HashEncoder
from factories import MONDAY
from joining import JobList
from recommending import TOPICS, make_manager, make_pair
from sqlmodel import select

from backend.assembly import build_platform
from backend.desk import repository, runs, service
from backend.desk.columns import FIRST_PAIRS, PairColumns, best_first, near_threshold
from backend.desk.scoring import Interest, PoolPair, fit_of, traits_of
from backend.desk.tables import Recommendation
from backend.jobs import enqueue
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings
from models.relevance import MatchLevel

PROJECT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60
REGIONS = ("110108", "110115", "120104", "120116", "130200", "130600")
FIELDS, INDUSTRIES, WORDS = ("tcm", "hydrogen", "ai"), ("C26", "C27", "D44"), ("电渗析", "丹参酮", "相控阵")


def _unit(chance, dimension=32):
    vector = np.random.default_rng(chance.randrange(2**32)).standard_normal(dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def _some(chance, words):
    return [word for word in words if chance.random() < 0.4]


def _random_pair(chance):
    return PoolPair(
        supply_id=UUID(int=chance.getrandbits(128)),
        demand_id=UUID(int=chance.getrandbits(128)),
        level=chance.choice([MatchLevel.WEAK, MatchLevel.FAIR, MatchLevel.STRONG]),
        judged=chance.random(),
        fingerprint="f" * 64,
        pairing=chance.choice(["", "北京决定第五条：两地"]),
        supply_region=chance.choice(REGIONS),
        demand_region=chance.choice(REGIONS),
        fields=frozenset(_some(chance, FIELDS)),
        words=frozenset(_some(chance, WORDS)),
        deadline=chance.choice([None, date(2026, 1, 1), MONDAY.date() + timedelta(days=chance.randrange(60))]),
        fresh_at=MONDAY - timedelta(hours=chance.randrange(-10, 2000)),
        industries=frozenset(_some(chance, INDUSTRIES)),
        others=chance.randrange(3),
        shown_often=chance.random(),
    )


def _random_interest(chance, pairs, catalogue):
    traits = sorted({trait for pair in pairs for trait in traits_of(pair, catalogue)})
    return Interest(
        regions=tuple(_some(chance, ("110000", "120000", "130200"))),
        fields=tuple(_some(chance, FIELDS)),
        words=frozenset(_some(chance, WORDS)),
        vector=chance.choice([None, _unit(chance)]),
        prefers_cross_region=chance.random() < 0.5,
        personalised=chance.random() < 0.8,
        industries=tuple(_some(chance, ("C", "D44"))),
        lessons={trait: chance.uniform(-1, 1) for trait in traits if chance.random() < 0.5},
    )


def _concerns(interest, fit):
    """Say the rule anew: chosen places are kept to; chosen topics too, but for what the expertise reaches."""
    if not interest.personalised:
        return True
    fits_place = not interest.regions or bool(fit.regions)
    topics = interest.fields or interest.industries
    return fits_place and (not topics or any([fit.fields, fit.industries, fit.words, fit.is_near]))


@pytest.mark.parametrize("seed", range(25))
def test_the_columns_say_of_every_pair_what_scoring_it_alone_says(platform, seed):
    chance = random.Random(seed)
    pairs = [_random_pair(chance) for _ in range(chance.choice([3, 60]))]
    vectors = {one: _unit(chance) for pair in pairs for one in pair.key if chance.random() < 0.9}
    interest = _random_interest(chance, pairs, platform.catalogue)
    columns = PairColumns(pairs, vectors, platform.catalogue)
    allowed = np.array([chance.random() < 0.9 for _ in pairs])

    [cosines] = columns.cosines([interest.vector])
    scores = columns.score(interest, cosines, allowed, now=MONDAY)

    for place, pair in enumerate(columns.pairs):
        near = float(scores.nearness[place])
        fit = fit_of(pair, interest, near, platform.catalogue, near_from=scores.near_from, now=MONDAY)
        assert scores.values[place] == pytest.approx(fit.score, abs=1e-9)
        assert scores.concerned[place] == (bool(allowed[place]) and _concerns(interest, fit))
        if interest.vector is not None:
            told = [float(vectors[one] @ interest.vector) if one in vectors else 0.0 for one in pair.key]
            assert near == pytest.approx(sum(told) / 2, abs=1e-3)
    assert scores.near_from == near_threshold(scores.nearness[allowed])


def test_a_cosine_is_the_same_number_alone_and_in_any_block(platform):
    chance = np.random.default_rng(7)
    pairs = [_random_pair(random.Random(seed)) for seed in range(2200)]
    drawn = chance.standard_normal((8800, 48)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    vectors = dict(zip((one for pair in pairs for one in pair.key), drawn, strict=False))
    columns = PairColumns(pairs, vectors, platform.catalogue)
    expertise = [None, *drawn[4400:]]

    together = list(columns.cosines(expertise))

    assert together[0] is None
    for place in (1, 2, 3000, 3812, 3813, 3814, 4400):  # a block holds 3,812 of them
        [alone] = columns.cosines([expertise[place]])
        assert np.array_equal(alone, together[place])


def test_best_first_is_sorting_with_ties_by_place():
    chance = np.random.default_rng(3)
    values = chance.integers(0, 50, 3 * FIRST_PAIRS).astype(np.float64)
    chosen = np.flatnonzero(chance.random(len(values)) < 0.8)

    assert list(best_first(values, chosen)) == sorted(chosen, key=lambda place: (-values[place], place))


@pytest.fixture
def market(new_database, tmp_path):
    """Give a platform on a database of its own, with a small market and managers of all kinds in it."""
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=new_database())
    platform = build_platform(settings, clock=lambda: MONDAY, encoder=HashEncoder(), queue=JobList())
    upgrade_database(platform.database)
    profiles = [
        {},
        {"regions": ["130000"]},
        {"fields": ["tcm"], "expertise": "做过电渗析和废水零排放的中试"},
        {"expertise": "丹参酮组分近红外检测"},
        {"personalised": False, "expertise": "固态电池"},
        {"prefers_cross_region": False},
        {"industries": ["C"], "expertise": "相控阵天线"},
    ]
    with platform.transaction() as session:
        _publish(session, platform, TOPICS[:6])
        for profile in profiles:
            make_manager(session, **profile)
    yield platform
    platform.database.dispose()


def _publish(session, platform, topics):
    for number, topic in enumerate(topics):
        place = {"region_code": "110108"} if number % 3 == 0 else {}
        make_pair(session, platform, topic, fields=["tcm"] if number % 4 == 0 else [], **place)


def _kept(session):
    rows = session.exec(select(Recommendation))
    said = [
        ((row.manager_id, row.supply_id, row.demand_id), (row.score, row.level, row.reason, row.progress, row.made_at))
        for row in rows
    ]
    assert len(said) == len(dict(said))
    return dict(said)


def _parts_of_a_run(platform):
    platform.queue.entries.clear()
    runs.start_run(platform, managers_per_part=2)
    queued = [payload for job, payload in platform.queue.entries if job.name == "desk.recommend_part"]
    return [runs.Part(platform.clock(), UUID(part["first"]), UUID(part["last"])) for part in queued]


class Undone(Exception):
    """Ends a transaction that is not to be kept."""


def _one_by_one(platform):
    """Return what every manager gets alone, and leave nothing behind."""
    found = {}
    with pytest.raises(Undone), platform.transaction() as session:
        for manager_id in repository.find_manager_ids(session):
            service.recommend(session, manager_id, platform)
        session.flush()
        found = _kept(session)
        raise Undone
    return found


def test_parts_in_any_order_twice_and_by_two_workers_give_once_what_each_manager_gets_alone(market):
    runs.recommend_everyone(market)
    tomorrow = replace(market, clock=lambda: MONDAY + timedelta(days=1))
    with market.transaction() as session:
        before = _kept(session)
        _publish(session, tomorrow, TOPICS[6:])
    parts = _parts_of_a_run(tomorrow)
    alone = _one_by_one(tomorrow)
    random.Random(1).shuffle(parts)

    with ThreadPoolExecutor(2) as workers:
        made = list(workers.map(lambda part: runs.recommend_part(tomorrow, part), [*parts, *reversed(parts)]))

    with market.reading() as session:
        together = _kept(session)
    assert len(parts) == 4
    assert len({manager for manager, _, _ in before}) == len({manager for manager, _, _ in alone}) == 7
    assert together == alone
    assert sum(made) == len(alone.keys() - before.keys()) > 0


def test_a_part_of_a_run_that_was_overtaken_does_nothing(market):
    parts = _parts_of_a_run(market)
    runs.start_run(replace(market, clock=lambda: MONDAY + timedelta(minutes=15)))

    assert [runs.recommend_part(market, part) for part in parts] == [0, 0, 0, 0]


def test_a_profile_kept_while_a_part_runs_is_not_overwritten_with_the_old_one(market):
    [first, *_] = _parts_of_a_run(market)
    with market.transaction() as session:
        manager_id = first.first
        pool = service.load_pool(session, market)
        stale = next(service.prepare([None], pool, market))
        profile = repository.find_profile(session, manager_id) or service.ManagerProfile(account_id=manager_id)
        profile.personalised, profile.updated_at = False, MONDAY + timedelta(seconds=1)
        session.add(profile)
        session.flush()

        service.recommend(session, manager_id, market, pool=pool, prepared=stale)

        reasons = {reason for (manager, _, _), (_, _, reason, _, _) in _kept(session).items() if manager == manager_id}
    assert reasons
    assert all("没有使用您的个人设置" in reason for reason in reasons)


def test_a_worker_killed_within_a_part_loses_nothing_and_doubles_nothing(new_database, tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=new_database())
    platform = build_platform(settings)
    upgrade_database(platform.database)
    with platform.transaction() as session:
        for topic in TOPICS[:6]:
            make_pair(session, platform, topic)
        managers = [make_manager(session).id for _ in range(200)]
        enqueue(session, "desk.recommend")

    first = _start_worker(platform)
    _wait_until(lambda: _served(platform), "the first worker did nothing")
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = _served(platform)
    second = _start_worker(platform)
    _wait_until(lambda: _served(platform) == set(managers), "the second worker did not finish")
    second.send_signal(signal.SIGTERM)
    second.wait()

    with platform.reading() as session:
        kept = _kept(session)
    platform.database.dispose()
    assert 0 < len(before) < len(managers)
    assert len(kept) == 6 * len(managers)


def _start_worker(platform):
    environment = {
        **os.environ,
        "DATA_DIR": str(platform.settings.data_dir),
        "DATABASE_URL": platform.settings.database_url,
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen([sys.executable, "-m", "backend.cli", "worker"], cwd=PROJECT, env=environment)


def _served(platform):
    with platform.reading() as session:
        return set(session.exec(select(Recommendation.manager_id).distinct()))


def _wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
