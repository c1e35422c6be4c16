"""What a manager decides on a pair: one winner, nothing lost, nothing half done, and always a way back."""

import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
from factories import MONDAY, make_account
from recommending import make_manager, make_pair, only_row, queue_of, recommend, withdraw
from sqlmodel import Session, select

from backend.accounts.tables import Role, TrailEntry
from backend.database import build_engine, transaction
from backend.desk import decisions
from backend.desk.stages import Exit
from backend.desk.tables import Case, DismissalReason, JudgedPair, Progress, Recommendation
from backend.errors import Conflict, Forbidden, NotFound
from backend.listings.tables import Listing
from backend.matching.feedback import UnfitReason
from backend.matching.tables import MatchFeedback, Verdict
from backend.migrations.upgrade import upgrade_database
from models.features import FEATURES

TAKEN = {"taken_at": MONDAY, "staged_at": MONDAY, "stepped_at": MONDAY}


@pytest.fixture
def manager(session):
    return make_manager(session)


@pytest.fixture
def row(session, platform, manager) -> Recommendation:
    make_pair(session, platform)
    recommend(session, platform)
    return only_row(session, manager)


def trail_of(session, row) -> list[str]:
    query = select(TrailEntry).where(TrailEntry.subject == f"recommendation:{row.id}").order_by(TrailEntry.id)
    return [entry.action for entry in session.exec(query)]


def feedback_on(session, row) -> MatchFeedback | None:
    query = select(MatchFeedback).where(
        MatchFeedback.account_id == row.manager_id,
        MatchFeedback.supply_id == row.supply_id,
        MatchFeedback.demand_id == row.demand_id,
    )
    return session.exec(query).first()


def test_taking_a_pair_opens_a_case_with_trail_and_feedback(session, platform, manager, row):
    case = decisions.take(session, row.id, by=manager, now=MONDAY, rank=4)

    assert (case.supply_id, case.demand_id, case.manager_id) == (row.supply_id, row.demand_id, manager.id)
    assert row.progress is Progress.TAKEN
    assert queue_of(session, platform, manager) == []
    assert trail_of(session, row) == ["desk.take"]
    said = feedback_on(session, row)
    assert (said.verdict, said.level_shown, said.rank_shown) == (Verdict.FITS, "strong", 4)


def test_taking_a_pair_twice_is_taking_it_once(session, manager, row):
    first = decisions.take(session, row.id, by=manager, now=MONDAY)
    second = decisions.take(session, row.id, by=manager, now=MONDAY + timedelta(seconds=1))

    assert first.id == second.id
    assert len(session.exec(select(Case)).all()) == 1
    assert trail_of(session, row) == ["desk.take"]


def test_a_pair_that_another_manager_took_is_refused_with_a_readable_sentence(session, platform, manager, row):
    other = make_manager(session)
    recommend(session, platform)
    decisions.take(session, only_row(session, other).id, by=other, now=MONDAY)

    with pytest.raises(Conflict, match="另一位技术经理人已经先接洽了这一对"):
        decisions.take(session, row.id, by=manager, now=MONDAY)

    assert row.progress is Progress.OPEN
    assert queue_of(session, platform, manager) == []
    assert trail_of(session, row) == []


@pytest.fixture
def own_database(new_database):
    """Give a database of the test's own, for what really commits."""
    engine = build_engine(new_database())
    upgrade_database(engine)
    yield engine
    engine.dispose()


def test_of_two_managers_who_take_a_pair_at_the_same_moment_one_wins(own_database, platform):
    rivals = 4
    with transaction(own_database, queue=platform.queue) as session:
        managers = [make_manager(session) for _ in range(rivals)]
        supply, demand = make_pair(session, platform)
        rows = [_recommended(session, one.id, supply.id, demand.id) for one in managers]
    start, outcomes = threading.Barrier(rivals), []

    def try_to_take(manager, row) -> None:
        start.wait()
        try:
            with transaction(own_database) as session:
                decisions.take(session, row.id, by=manager, now=MONDAY)
            outcomes.append("won")
        except Conflict:
            outcomes.append("refused")

    with ExitStack() as running:
        for manager, row in zip(managers, rows, strict=True):
            thread = threading.Thread(target=try_to_take, args=(manager, row))
            thread.start()
            running.callback(thread.join)

    assert sorted(outcomes) == ["refused"] * (rivals - 1) + ["won"]
    with Session(own_database) as session:
        (case,) = session.exec(select(Case)).all()
        (taken,) = session.exec(select(Recommendation).where(Recommendation.progress == Progress.TAKEN)).all()
        assert case.manager_id == taken.manager_id


def _recommended(session, manager_id, supply_id, demand_id) -> Recommendation:
    pair = {"supply_id": supply_id, "demand_id": demand_id, "level": "strong", "fingerprint": "f" * 64}
    row = Recommendation(manager_id=manager_id, score=1.0, made_at=MONDAY, **pair)
    session.add(row)
    session.flush()
    return row


def test_the_database_itself_keeps_a_pair_from_being_taken_twice(session, manager, row):
    other = make_manager(session)
    pair = {"supply_id": row.supply_id, "demand_id": row.demand_id, "level": "strong", **TAKEN}
    session.add(Case(manager_id=manager.id, **pair))
    session.flush()

    with pytest.raises(Exception, match=r"(?i)unique"), session.begin_nested():
        session.add(Case(manager_id=other.id, **pair))

    session.add(Case(manager_id=other.id, closed_at=MONDAY, exit_reason=Exit.MISMATCH, **pair))
    session.flush()


def test_a_pair_whose_listing_was_withdrawn_a_moment_ago_cannot_be_taken(session, platform, manager, row):
    withdraw(session, platform, session.get(Listing, row.supply_id))

    with pytest.raises(Conflict, match="已下架，不能再接洽"):
        decisions.take(session, row.id, by=manager, now=MONDAY)

    assert row.progress is Progress.OPEN
    assert session.exec(select(Case).where(Case.supply_id == row.supply_id)).first() is None


@pytest.mark.parametrize("has_changed", [False, True])
def test_what_the_judgement_rested_on_goes_into_the_feedback_unless_the_pair_changed(
    session, platform, manager, row, has_changed
):
    judged = session.get(JudgedPair, (row.demand_id, row.supply_id))
    if has_changed:
        row.fingerprint = "0" * 64

    decisions.take(session, row.id, by=manager, now=MONDAY, rank=1)

    said = feedback_on(session, row)
    assert set(judged.features) == set(FEATURES)
    expected = (None, None) if has_changed else (judged.features, platform.scorer.name)
    assert (said.features, said.ranker_shown) == expected


def test_dismissing_keeps_the_reason_in_the_feedback_and_in_the_trail(session, platform, manager, row):
    decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.TOO_EARLY, now=MONDAY, rank=2)
    decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.TOO_EARLY, now=MONDAY, rank=2)

    said = feedback_on(session, row)
    assert (said.verdict, said.reason, said.rank_shown) == (Verdict.UNFIT, "too_early", 2)
    assert trail_of(session, row) == ["desk.dismiss"]
    assert queue_of(session, platform, manager) == []


def test_putting_off_until_tomorrow_means_the_morning_of_tomorrow_in_beijing(session, manager, row):
    decisions.snooze(session, row.id, by=manager, days=1, now=MONDAY)

    assert row.snoozed_until.isoformat() == "2026-11-24T00:00:00+08:00"
    assert feedback_on(session, row).verdict is Verdict.LATER


@pytest.mark.parametrize("decide", ["take", "dismiss", "snooze"])
def test_undoing_puts_the_pair_back_and_takes_the_feedback_back(session, platform, manager, row, decide):
    options = {"take": {}, "dismiss": {"reason": DismissalReason.KNOWN}, "snooze": {"days": 7}}[decide]
    getattr(decisions, decide)(session, row.id, by=manager, now=MONDAY, **options)

    decisions.undo(session, row.id, by=manager, now=MONDAY + timedelta(minutes=9))
    decisions.undo(session, row.id, by=manager, now=MONDAY + timedelta(minutes=9))

    assert [waiting.id for waiting in queue_of(session, platform, manager)] == [row.id]
    assert feedback_on(session, row) is None
    assert session.exec(select(Case)).all() == []
    assert trail_of(session, row) == [f"desk.{decide}", "desk.undo"]


def test_a_taken_pair_cannot_be_given_back_after_ten_minutes(session, manager, row):
    decisions.take(session, row.id, by=manager, now=MONDAY)

    with pytest.raises(Conflict, match="超过 10 分钟"):
        decisions.undo(session, row.id, by=manager, now=MONDAY + timedelta(minutes=11))

    assert row.progress is Progress.TAKEN


def test_a_taken_pair_cannot_be_dismissed_by_a_stale_form(session, manager, row):
    decisions.take(session, row.id, by=manager, now=MONDAY)

    with pytest.raises(Conflict, match="您已经在接洽这一对"):
        decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.MONEY, now=MONDAY)


def test_nobody_decides_on_the_recommendation_of_another(session, row):
    other = make_manager(session)

    with pytest.raises(NotFound):
        decisions.take(session, row.id, by=other, now=MONDAY)


def test_a_role_that_was_taken_away_meanwhile_decides_nothing(session, manager, row):
    stale = manager.model_copy()
    manager.role = Role.MEMBER
    session.add(manager)
    session.flush()

    with pytest.raises(Forbidden):
        decisions.dismiss(session, row.id, by=stale, reason=DismissalReason.MONEY, now=MONDAY)


def test_a_run_of_the_matching_leaves_a_taken_pair_taken(session, platform, manager, row):
    decisions.take(session, row.id, by=manager, now=MONDAY)

    recommend(session, platform)

    assert row.progress is Progress.TAKEN


def test_the_reasons_are_those_of_the_feedback_on_pairs():
    assert {reason.value: reason.label for reason in DismissalReason} == {
        reason.value: reason.label for reason in UnfitReason
    }


def test_members_have_no_desk(client, session):
    member = make_account(session)
    session.commit()
    client.sign_in(member)

    assert client.get("/desk").status_code == 403
    assert client.get("/desk/profile").status_code == 403
