"""A worker that is killed loses nothing and does nothing twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from factories import MONDAY, make_account, make_listing
from sqlmodel import col, func, select

from backend.assembly import build_platform
from backend.matching.tables import IndexChange, ListingVector
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings

PROJECT = Path(__file__).parents[3]
LISTINGS = 40
PATIENCE_SECONDS = 60


@pytest.fixture
def platform_on_disk(new_database, tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=new_database())
    platform = build_platform(settings, clock=lambda: MONDAY)
    upgrade_database(platform.database)
    yield platform
    platform.database.dispose()


def start_worker(platform):
    environment = {
        **os.environ,
        "DATA_DIR": str(platform.settings.data_dir),
        "DATABASE_URL": platform.settings.database_url,
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen([sys.executable, "-m", "backend.cli", "worker"], cwd=PROJECT, env=environment)


def changes_by_listing(platform):
    with platform.reading() as session:
        counted = select(IndexChange.listing_id, func.count()).group_by(col(IndexChange.listing_id))
        return dict(session.exec(counted).all())


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_embedding_survives_a_killed_worker_and_happens_once(platform_on_disk):
    with platform_on_disk.transaction() as session:
        owner = make_account(session)
        for number in range(LISTINGS):
            make_listing(session, owner=owner, title=f"第 {number} 条成果")

    first = start_worker(platform_on_disk)
    wait_until(lambda: changes_by_listing(platform_on_disk), "the first worker did nothing")
    first.send_signal(signal.SIGKILL)
    first.wait()
    done_before = len(changes_by_listing(platform_on_disk))
    second = start_worker(platform_on_disk)
    wait_until(lambda: len(changes_by_listing(platform_on_disk)) == LISTINGS, "the second worker did not finish")
    second.send_signal(signal.SIGTERM)
    second.wait()

    assert done_before < LISTINGS
    assert set(changes_by_listing(platform_on_disk).values()) == {1}
    with platform_on_disk.reading() as session:
        assert session.exec(select(func.count()).select_from(ListingVector)).one() == LISTINGS
