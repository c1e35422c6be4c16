"""Enqueueing is part of the change that causes it."""

import pytest

from backend.database import build_engine, transaction
from backend.jobs import enqueue
from backend.jobs.queue import DbosQueue
from backend.migrations.upgrade import upgrade_database

WAITING = "SELECT count(*) FROM {schema}workflow_status"


@pytest.fixture(scope="module")
def own_engine(new_database):
    engine = build_engine(new_database())
    upgrade_database(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def waiting(own_engine):
    schema = "" if own_engine.dialect.name == "sqlite" else "dbos."

    def count():
        with own_engine.connect() as connection:
            return connection.exec_driver_sql(WAITING.format(schema=schema)).scalar_one()

    return count


def test_a_committed_change_has_its_job(own_engine, waiting):
    before = waiting()

    with transaction(own_engine, queue=DbosQueue(own_engine)) as session:
        enqueue(session, "matching.follow", listing_id="one")

    assert waiting() == before + 1


def test_a_change_that_is_rolled_back_leaves_no_job(own_engine, waiting):
    before = waiting()

    with pytest.raises(RuntimeError), transaction(own_engine, queue=DbosQueue(own_engine)) as session:
        enqueue(session, "matching.follow", listing_id="one")
        raise RuntimeError("the change failed")

    assert waiting() == before


def test_the_same_key_is_done_once(own_engine, waiting):
    before = waiting()

    for _ in range(2):
        with transaction(own_engine, queue=DbosQueue(own_engine)) as session:
            enqueue(session, "matching.follow", key="digest:2026-W48:somebody", listing_id="one")

    assert waiting() == before + 1


def test_a_job_that_nobody_handles_is_refused(session):
    with pytest.raises(ValueError, match=r"nobody handles the job .matching\.folow."):
        enqueue(session, "matching.folow", listing_id="one")
