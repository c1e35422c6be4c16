"""A case on its way: only along the paths of the machine, every step kept, old pages refused."""

from datetime import date, timedelta

import pytest
from factories import MONDAY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recommending import make_manager, make_pair, only_row, recommend
from sqlmodel import select

from backend.accounts.tables import Role, TrailEntry
from backend.desk import cases, decisions
from backend.desk.cases import Deed
from backend.desk.stages import CHOSEN_EXITS, CONCLUDED, MOVES, Exit, Stage, may_exit, may_move
from backend.desk.tables import Case
from backend.desk.tables_pipeline import CaseStep, Contract, ContractKind
from backend.errors import Conflict, Forbidden, NotFound


@pytest.fixture
def manager(session):
    return make_manager(session)


@pytest.fixture
def case(session, platform, manager) -> Case:
    make_pair(session, platform)
    recommend(session, platform)
    return decisions.take(session, only_row(session, manager).id, by=manager, now=MONDAY)


def contract_of(case, manager, **changes) -> Contract:
    values = {"kind": ContractKind.LICENCE, "total_yuan": 900_000, "technology_yuan": 500_000}
    places = {"buyer_region": "130200", "seller_region": "110108"}
    rest = {"signed_on": date(2026, 11, 20), "by_id": manager.id, "at": MONDAY}
    return Contract(case_id=case.id, **{**values, **places, **rest, **changes})


def steps_of(session, case) -> list[CaseStep]:
    return list(session.exec(select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.id)))


DEEDS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(list(Stage))),
    st.tuples(st.just("end"), st.sampled_from(CHOSEN_EXITS)),
    st.tuples(st.sampled_from(["sign", "unsign", "register", "note"]), st.none()),
)


@given(st.lists(DEEDS, max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_is_tried_the_history_is_a_path_of_the_machine(session, manager, case, deeds):
    nested = session.begin_nested()
    deed = Deed(manager, MONDAY)
    for what, value in deeds:
        try:
            if what == "move":
                cases.move(session, case.id, to=value, deed=deed)
            elif what == "end":
                cases.end(session, case.id, reason=value, deed=deed)
            elif what == "sign":
                cases.sign(session, case.id, contract=contract_of(case, manager), deed=deed)
            elif what == "unsign":
                cases.unsign(session, case.id, deed=deed)
            elif what == "register":
                cases.register(session, case.id, number="2026-1", on=date(2026, 11, 23), deed=deed)
            else:
                cases.note(session, case.id, text="电话", deed=deed)
        except Conflict:
            continue

    first, *later = steps_of(session, case)
    at = first.to_stage
    assert at is Stage.RECOMMENDED
    for step in later:
        assert step.from_stage is at
        assert step.to_stage is at or may_move(at, step.to_stage)
        at = step.to_stage
    assert case.stage is at
    assert (session.get(Contract, case.id) is not None) == (at in CONCLUDED)
    assert (case.closed_at is not None) == (case.exit_reason is not None or at is Stage.REGISTERED)
    assert case.version == len(later) + 1
    nested.rollback()
    session.expire_all()


def test_the_machine_never_goes_back_to_merely_recommended_and_ends_at_registration():
    assert all(Stage.RECOMMENDED not in after for after in MOVES.values())
    assert MOVES[Stage.REGISTERED] == frozenset()
    assert {stage for stage in Stage if may_move(stage, Stage.SIGNED)} == {Stage.PROPOSAL, Stage.INTENT}
    assert not may_exit(Stage.SIGNED)


def test_a_case_goes_from_recommended_to_registered_with_its_contract(session, manager, case):
    deed = Deed(manager, MONDAY)
    for stage in (Stage.CONTACTED, Stage.CONFIRMED, Stage.TALKS, Stage.PROPOSAL, Stage.INTENT):
        cases.move(session, case.id, to=stage, deed=deed)
    cases.sign(session, case.id, contract=contract_of(case, manager), deed=deed)
    cases.register(session, case.id, number="2026-京-1", on=date(2026, 11, 23), deed=deed)

    contract = session.get(Contract, case.id)
    assert (case.stage, case.closed_at, case.exit_reason) == (Stage.REGISTERED, MONDAY, None)
    assert (contract.buyer_region[:2], contract.seller_region[:2]) == ("13", "11")
    assert contract.registration_number == "2026-京-1"


def test_a_form_of_an_old_page_changes_nothing(session, manager, case):
    cases.note(session, case.id, text="另一扇窗", deed=Deed(manager, MONDAY, seen=1))

    with pytest.raises(Conflict, match="又有了变化"):
        cases.move(session, case.id, to=Stage.TALKS, deed=Deed(manager, MONDAY, seen=1))

    assert case.stage is Stage.RECOMMENDED


def test_a_role_that_was_taken_away_ends_the_work(session, manager, case):
    manager.role = Role.MEMBER
    session.flush()

    with pytest.raises(Forbidden):
        cases.note(session, case.id, text="还在", deed=Deed(manager, MONDAY))


def test_a_case_that_was_handed_over_belongs_to_the_other_manager_alone(session, manager, case):
    heir = make_manager(session)

    cases.hand_over(session, case.id, to=heir.id, deed=Deed(manager, MONDAY), note="熟悉唐山")

    assert case.manager_id == heir.id
    with pytest.raises(NotFound):
        cases.note(session, case.id, text="还在", deed=Deed(manager, MONDAY))


def test_a_full_desk_takes_no_more(session, platform, manager, case):
    full = make_manager(session, capacity=1)
    make_pair(session, platform, "完全不同的课题压缩空气储能")
    with pytest.raises(Conflict, match="选择另一位"):
        cases.hand_over(session, case.id, to=manager.id, deed=Deed(manager, MONDAY))
    cases.hand_over(session, case.id, to=full.id, deed=Deed(manager, MONDAY))
    recommend(session, platform)
    row = only_row(session, full)

    with pytest.raises(Conflict, match="已到上限"):
        decisions.take(session, row.id, by=full, now=MONDAY)


def test_what_was_worked_on_cannot_be_undone_as_if_it_were_a_slip(session, manager, case):
    cases.note(session, case.id, text="打过电话", deed=Deed(manager, MONDAY))

    with pytest.raises(Conflict, match="新的记录"):
        decisions.undo(session, only_row(session, manager).id, by=manager, now=MONDAY + timedelta(seconds=5))


def test_every_change_has_one_entry_in_the_trail(session, manager, case):
    cases.move(session, case.id, to=Stage.PROPOSAL, deed=Deed(manager, MONDAY, "10.0.0.1"))
    cases.end(session, case.id, reason=Exit.PRICE, deed=Deed(manager, MONDAY))
    cases.end(session, case.id, reason=Exit.PRICE, deed=Deed(manager, MONDAY))

    entries = session.exec(select(TrailEntry).where(TrailEntry.subject == f"case:{case.id}").order_by(TrailEntry.id))
    assert [entry.action for entry in entries] == ["desk.move", "desk.end"]
