"""No promising pair is forgotten: reminders at 9 and 21 days, the end at 45, and holidays do not count."""

from datetime import date, timedelta

import pytest
from factories import MONDAY
from recommending import make_manager, make_pair, make_side, only_row, queue_of, recommend
from sqlmodel import select

from backend.desk import cases, clock, decisions
from backend.desk.cases import Deed
from backend.desk.clock import Due
from backend.desk.repository_pool import ENOUGH
from backend.desk.stages import Exit
from backend.desk.tables import Case, ManagerAbsence
from backend.desk.tables_pipeline import UnansweredListing, Waiting
from backend.listings.tables import Kind
from backend.mail.tables import OutboxMessage


@pytest.fixture
def manager(session):
    return make_manager(session)


@pytest.fixture
def case(session, platform, manager) -> Case:
    make_pair(session, platform)
    recommend(session, platform)
    return decisions.take(session, only_row(session, manager).id, by=manager, now=MONDAY)


def watch_on_day(session, case, day, absences=()) -> Due:
    return clock.watch(session, case, absences, now=MONDAY + timedelta(days=day))


def test_a_quiet_case_is_nudged_at_9_and_21_days_and_given_up_at_45(session, case):
    due = {day: watch_on_day(session, case, day) for day in range(50)}

    assert [day for day, what in due.items() if what is Due.NUDGE] == [9, 21]
    assert [day for day, what in due.items() if what is Due.GIVE_UP] == [45]
    assert case.exit_reason is Exit.GIVEN_UP


def test_a_step_begins_the_time_anew(session, manager, case):
    watch_on_day(session, case, 9)
    cases.note(session, case.id, text="打过电话", deed=Deed(manager, MONDAY + timedelta(days=10)))

    due = {day: watch_on_day(session, case, day) for day in range(10, 32)}

    assert [day for day, what in due.items() if what is Due.NUDGE] == [19, 31]


def test_holidays_do_not_count(session, manager, case):
    away = ManagerAbsence(account_id=manager.id, from_on=date(2026, 11, 26), until_on=date(2026, 12, 5))

    due = {day: watch_on_day(session, case, day, [away]) for day in range(22)}

    assert [day for day, what in due.items() if what is Due.NUDGE] == [19]


def test_nobody_is_given_up_without_both_reminders(session, case):
    assert [watch_on_day(session, case, 60) for _ in range(3)] == [Due.NUDGE, Due.NUDGE, Due.GIVE_UP]


def test_giving_up_tells_both_sides_offers_the_pair_again_and_goes_on_record(session, platform, case, drain):
    other = make_manager(session)
    for day in (9, 21, 45):
        watch_on_day(session, case, day)
    drain()
    recommend(session, platform)

    keys = {mail.key for mail in session.exec(select(OutboxMessage))}
    assert {f"given-up:{case.id}:demand", f"given-up:{case.id}:supply"} <= keys
    assert [row.demand_id for row in queue_of(session, platform, other)] == [case.demand_id]
    kept = session.exec(select(UnansweredListing)).one()
    assert (kept.listing_id, kept.why, kept.answered_at) == (case.demand_id, Waiting.GIVEN_UP, None)


def test_a_demand_nobody_took_up_goes_on_record_once_and_is_marked_when_somebody_does(session, platform, manager):
    _, demand = make_pair(session, platform)
    later = MONDAY + timedelta(days=46)

    counts = [clock.record_unanswered(session, now=later) for _ in range(2)]
    recommend(session, platform)
    decisions.take(session, only_row(session, manager).id, by=manager, now=later)

    kept = session.exec(select(UnansweredListing)).one()
    session.refresh(kept)
    assert counts == [1, 0]
    assert (kept.listing_id, kept.why, kept.answered_at) == (demand.id, Waiting.NOBODY, later)


def test_a_demand_with_enough_managers_rests(session, platform, manager):
    demand = make_side(session, platform, "高盐废水电渗析浓缩", Kind.DEMAND)
    supplies = [make_side(session, platform, "高盐废水电渗析浓缩", Kind.SUPPLY) for _ in range(ENOUGH + 1)]
    recommend(session, platform)
    assert queue_of(session, platform, manager)

    for supply in supplies[:ENOUGH]:
        times = {"taken_at": MONDAY, "staged_at": MONDAY, "stepped_at": MONDAY}
        owner = make_manager(session).id
        session.add(Case(supply_id=supply.id, demand_id=demand.id, manager_id=owner, level="fair", **times))
    session.commit()

    assert queue_of(session, platform, manager) == []


def test_nothing_new_is_recommended_during_a_holiday(session, platform, manager):
    session.add(ManagerAbsence(account_id=manager.id, from_on=MONDAY.date(), until_on=MONDAY.date()))
    make_pair(session, platform)

    assert recommend(session, platform) == 0
