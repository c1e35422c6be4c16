"""The crash bench tells right from wrong: the same blows leave no trace, or show the fault that was planted."""

from dataclasses import replace

import pytest

from backend.bench.digest_crash import Plan, run_plan
from backend.bench.enqueuers import run_enqueuers
from backend.bench.smtp_stage import Point
from backend.bench.victims import Nursery

BLOWS = Plan(
    recipients=2, kills=0, kills_at_each_point=4, flips=0, speed=400, seed=3, points=(Point.DOT,), writes_late=False
)


@pytest.fixture
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


def test_blows_at_the_last_dot_leave_at_most_one_duplicate(nursery):
    result = run_plan(BLOWS, nursery)

    assert (result.skipped, result.more_than_one_duplicate, result.message_ids_differ) == (0, 0, 0)
    assert result.named_kills >= 2
    assert result.adds_up


def test_the_same_blows_show_a_state_that_is_written_after_the_send(nursery):
    result = run_plan(replace(BLOWS, writes_late=True), nursery)

    assert result.more_than_one_duplicate > 0


def test_killed_and_racing_enqueuers_leave_one_row_for_each_key():
    result = run_enqueuers(kills=2, rounds=1, seed=3)

    assert result.is_clean, result
