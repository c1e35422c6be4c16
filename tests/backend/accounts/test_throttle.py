from datetime import timedelta

import pytest
from factories import MONDAY
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from backend.accounts import throttle
from backend.accounts.tables import FailedAttempt
from backend.accounts.throttle import Limit
from backend.errors import TooMany

MINUTE = timedelta(minutes=1)
HERE = throttle.login_counters("wang@example.com", "10.0.0.1", device="")


def minutes(*marks: float) -> list:
    return [MONDAY + mark * MINUTE for mark in marks]


def test_four_failures_do_not_lock():
    assert throttle.locked_until(minutes(0, 1, 2, 3)) is None


def test_the_fifth_failure_within_a_quarter_of_an_hour_locks_for_a_quarter_of_an_hour():
    assert throttle.locked_until(minutes(0, 1, 2, 3, 4)) == MONDAY + 19 * MINUTE


def test_failures_spread_over_more_than_a_quarter_of_an_hour_do_not_lock():
    assert throttle.locked_until(minutes(0, 4, 8, 12, 16, 20, 24)) is None


def test_each_further_lock_lasts_twice_as_long():
    first = [0, 1, 2, 3, 4]
    second = [20, 21, 22, 23, 24]
    third = [60, 61, 62, 63, 64]

    assert throttle.locked_until(minutes(*first, *second)) == MONDAY + (24 + 30) * MINUTE
    assert throttle.locked_until(minutes(*first, *second, *third)) == MONDAY + (64 + 60) * MINUTE


@given(st.lists(st.floats(0, 1440, allow_nan=False), max_size=40))
def test_a_lock_begins_with_a_failure_and_lasts_a_doubled_quarter_of_an_hour(marks: list[float]):
    failures = sorted(minutes(*marks))

    until = throttle.locked_until(failures)

    lengths = {timedelta(minutes=15 * 2**step) for step in range(9)}
    assert until is None or any(until - failed_at in lengths for failed_at in failures)


def test_a_flat_limit_frees_a_place_when_its_oldest_failure_is_out_of_the_window():
    limit = Limit(3, 15 * MINUTE)

    assert throttle.free_from(minutes(0, 1), limit) is None
    assert throttle.free_from(minutes(0, 1, 2), limit) == MONDAY + 15 * MINUTE
    assert throttle.free_from(minutes(0, 1, 2, 3), limit) == MONDAY + 16 * MINUTE


def test_a_try_is_counted_before_it_is_known_to_be_wrong(session: Session):
    admissions = [throttle.admit(session, HERE, now=MONDAY) for _ in range(6)]

    assert [admission.until for admission in admissions[:5]] == [None] * 5
    assert admissions[5].until == MONDAY + 15 * MINUTE


def test_who_waits_is_not_counted_and_so_does_not_wait_longer(session: Session):
    for _ in range(5):
        throttle.admit(session, HERE, now=MONDAY)
    for mark in range(10):
        throttle.admit(session, HERE, now=MONDAY + mark * MINUTE)

    assert throttle.admit(session, HERE, now=MONDAY + 15 * MINUTE).until is None


def test_a_right_password_forgets_the_failures_of_its_own_place_only(session: Session):
    elsewhere = throttle.login_counters("wang@example.com", "10.0.0.2", device="")
    for _ in range(5):
        throttle.admit(session, elsewhere, now=MONDAY)
    for _ in range(3):
        throttle.admit(session, HERE, now=MONDAY)

    throttle.forgive(session, HERE, throttle.admit(session, HERE, now=MONDAY))

    assert not [row for row in session.exec(select(FailedAttempt)) if row.key == HERE.own]
    assert throttle.admit(session, elsewhere, now=MONDAY).until is not None


def test_one_source_may_fail_sixty_times_whatever_the_accounts(session: Session):
    for number in range(60):
        counters = throttle.login_counters(f"person{number}@example.com", "10.0.0.1", device="")
        assert throttle.admit(session, counters, now=MONDAY).until is None

    assert throttle.admit(session, HERE, now=MONDAY).until == MONDAY + 15 * MINUTE
    assert throttle.admit(session, HERE, now=MONDAY + 15 * MINUTE).until is None


def test_one_account_may_be_failed_a_hundred_times_a_day_from_all_unknown_places_together(session: Session):
    for number in range(100):
        counters = throttle.login_counters("wang@example.com", f"10.0.1.{number}", device="")
        assert throttle.admit(session, counters, now=MONDAY).until is None

    assert throttle.admit(session, HERE, now=MONDAY).until == MONDAY + timedelta(hours=24)


def test_a_known_device_has_a_counter_that_nobody_else_can_fill(session: Session):
    for number in range(100):
        counters = throttle.login_counters("wang@example.com", f"10.0.1.{number}", device="")
        throttle.admit(session, counters, now=MONDAY)
    known = throttle.login_counters("wang@example.com", "10.0.1.1", device="an id")

    assert throttle.admit(session, known, now=MONDAY).until is None


def test_what_is_counted_is_kept_without_names_and_addresses(session: Session):
    throttle.admit(session, HERE, now=MONDAY)

    kept = " ".join(row.key for row in session.exec(select(FailedAttempt)))

    assert "wang" not in kept
    assert "10.0.0.1" not in kept


@pytest.mark.parametrize(("seconds", "minutes_left"), [(1, 1), (60, 1), (61, 2), (900, 15)])
def test_the_time_left_is_told_in_minutes_rounded_up(seconds: int, minutes_left: int):
    assert throttle.minutes_until(MONDAY + timedelta(seconds=seconds), now=MONDAY) == minutes_left


def test_one_address_gets_three_mails_an_hour(session: Session):
    sent = [throttle.count_mail(session, "wang@example.com", "10.0.0.1", now=MONDAY) for _ in range(5)]

    assert sent == [True, True, True, False, False]
    assert throttle.count_mail(session, "wang@example.com", "10.0.0.1", now=MONDAY + timedelta(hours=1))


def test_one_source_asks_for_twenty_mails_an_hour_and_is_told_when_again(session: Session):
    for number in range(20):
        throttle.count_mail(session, f"person{number}@example.com", "10.0.0.1", now=MONDAY)

    with pytest.raises(TooMany) as refusal:
        throttle.count_mail(session, "wang@example.com", "10.0.0.1", now=MONDAY + 30 * MINUTE)

    assert refusal.value.retry_after_seconds == 1800
    assert "30 分钟" in refusal.value.remedy
