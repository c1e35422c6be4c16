"""ISO weeks in Beijing, with the year ends and the week 53 of 2026."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.digests.week import ZONE, Week


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (date(2026, 11, 23), "2026-W48"),
        (date(2026, 12, 27), "2026-W52"),
        (date(2026, 12, 28), "2026-W53"),
        (date(2026, 12, 31), "2026-W53"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2025, 12, 28), "2025-W52"),
        (date(2025, 12, 29), "2026-W01"),
        (date(2024, 2, 29), "2024-W09"),
        (date(2032, 12, 31), "2032-W53"),
    ],
)
def test_a_day_lies_in_its_iso_week(day, key):
    assert Week.of_day(day).key == key


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), "2026-W47"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "2026-W48"),
        (datetime(2027, 1, 3, 15, 59, tzinfo=UTC), "2026-W53"),
        (datetime(2027, 1, 3, 16, 0, tzinfo=UTC), "2027-W01"),
    ],
)
def test_a_week_begins_at_midnight_in_beijing_wherever_the_server_stands(moment, key):
    assert Week.of(moment).key == key
    assert Week.of(moment.astimezone(timezone(timedelta(hours=14)))).key == key
    assert Week.of(moment.astimezone(timezone(timedelta(hours=-5)))).key == key


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="without zone"):
        Week.of(datetime(2026, 11, 23, 8, 30))  # noqa: DTZ001 - that is what is refused


def test_a_week_is_read_and_written_the_same_way():
    assert Week.parse(" 2026-w53 ") == Week(2026, 53)
    assert str(Week(2027, 1)) == "2027-W01"


@pytest.mark.parametrize("text", ["2026-W54", "2027-W53", "2026-W00", "2026-48", "2026-W8", "W48", "", "0000-W01"])
def test_what_is_no_week_is_refused(text):
    with pytest.raises(ValueError, match=r"no week|written like"):
        Week.parse(text)


def test_a_week_knows_its_days_and_its_successor():
    week = Week(2026, 53)

    assert (week.monday, week.sunday) == (date(2026, 12, 28), date(2027, 1, 3))
    assert week.label == "2026 年第 53 周（12 月 28 日至 1 月 3 日）"
    assert week.next() == Week(2027, 1)


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_lies_between_the_monday_and_the_sunday_of_its_week(moment):
    week = Week.of(moment)

    assert week.monday.isoweekday() == 1
    assert week.monday <= moment.astimezone(ZONE).date() <= week.sunday
    assert Week.parse(week.key) == week
    assert week < week.next()


YEAR_ENDS = [datetime(year, 12, 27, tzinfo=UTC) for year in (2026, 2027, 2032)]
NEAR_A_YEAR_END = st.builds(
    lambda end, seconds: end + timedelta(seconds=seconds), st.sampled_from(YEAR_ENDS), st.integers(0, 14 * 86_400)
)
ANY_TIME = st.datetimes(min_value=datetime(1992, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MOMENTS = st.one_of(NEAR_A_YEAR_END, ANY_TIME)


@settings(max_examples=1000, deadline=None)
@given(MOMENTS, MOMENTS, st.sampled_from(["America/New_York", "Europe/Berlin", "Pacific/Apia", "Asia/Shanghai"]))
def test_a_clock_that_jumps_lands_in_the_one_week_that_beijing_lives_in(before, after, server_zone):
    first, second = Week.of(before), Week.of(after)
    days = (after.astimezone(ZONE).date() - before.astimezone(ZONE).date()).days

    # What a week is depends on the moment alone, not on where the server stands or on its summer time.
    assert Week.of(after.astimezone(ZoneInfo(server_zone))) == second
    assert (first < second) == (first.key < second.key) == (second.monday > first.monday)
    assert abs((second.monday - first.monday).days - days) < 7
    # Beijing has had no summer time since 1991: a week is seven times 24 hours, over every year end.
    assert Week.of(after + timedelta(days=7)) == second.next()
    assert Week.of(after - timedelta(days=7)).next() == second
    assert date.fromisocalendar(second.year, second.number, 7) == second.sunday
