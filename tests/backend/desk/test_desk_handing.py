"""What is passed to a colleague arrives there once, first in the queue, and only where there is room for it."""

import pytest
from factories import MONDAY
from recommending import TOPICS, make_manager, make_pair, queue_of, recommend, withdraw

from backend.desk import cases, decisions, introductions
from backend.desk.cases import Deed
from backend.desk.repository import find_recommendation
from backend.desk.tables import DismissalReason, Progress
from backend.errors import Conflict
from backend.listings.tables import Listing


@pytest.fixture
def manager(session):
    return make_manager(session)


@pytest.fixture
def heir(session):
    return make_manager(session, capacity=1)


@pytest.fixture
def row(session, platform, manager, heir):
    """Give a manager's pair, which stands last in the heir's queue of three."""
    supply, demand = make_pair(session, platform, TOPICS[0], region_code="110108")
    for topic in TOPICS[1:3]:
        make_pair(session, platform, topic)
    recommend(session, platform)
    return find_recommendation(session, manager.id, supply_id=supply.id, demand_id=demand.id)


def passed_to(session, heir, row):
    return find_recommendation(session, heir.id, supply_id=row.supply_id, demand_id=row.demand_id)


def fill(session, platform, heir, row):
    other = next(one for one in queue_of(session, platform, heir) if one.demand_id != row.demand_id)
    return decisions.take(session, other.id, by=heir, now=MONDAY)


def test_a_pair_that_is_handed_on_comes_first_there_and_is_gone_here(session, platform, manager, heir, row):
    last = queue_of(session, platform, heir)[-1]

    decisions.hand_on(session, row.id, to=heir.id, by=manager, now=MONDAY)
    recommend(session, platform)

    first = queue_of(session, platform, heir)[0]
    assert first.demand_id == last.demand_id == row.demand_id
    assert first.reason == f"由{manager.display_name}转派给您"
    assert row.id not in [one.id for one in queue_of(session, platform, manager)]


def test_nothing_is_handed_to_a_full_desk(session, platform, manager, heir, row):
    fill(session, platform, heir, row)

    with pytest.raises(Conflict, match="已满"):
        decisions.hand_on(session, row.id, to=heir.id, by=manager, now=MONDAY)
    case = decisions.take(session, row.id, by=manager, now=MONDAY)
    with pytest.raises(Conflict, match="已满"):
        cases.hand_over(session, case.id, to=heir.id, deed=Deed(manager, MONDAY))

    assert case.manager_id == manager.id
    assert passed_to(session, heir, row).handed_by_id is None


def test_what_the_other_has_not_dealt_with_can_be_called_back_and_nothing_else(session, platform, manager, heir, row):
    decisions.hand_on(session, row.id, to=heir.id, by=manager, now=MONDAY)
    decisions.undo(session, row.id, by=manager, now=MONDAY)
    called_back = passed_to(session, heir, row).progress

    decisions.hand_on(session, row.id, to=heir.id, by=manager, now=MONDAY)
    passed = passed_to(session, heir, row)
    decisions.dismiss(session, passed.id, by=heir, reason=DismissalReason.PLACE, now=MONDAY)
    with pytest.raises(Conflict, match="对方已经处理"):
        decisions.undo(session, row.id, by=manager, now=MONDAY)

    assert called_back is Progress.LAPSED
    assert passed.progress is Progress.DISMISSED


def test_a_pair_whose_listing_is_gone_is_neither_handed_on_nor_introduced(
    session, platform, manager, heir, row, queued
):
    other = next(one for one in queue_of(session, platform, manager) if one.demand_id != row.demand_id)
    case = decisions.take(session, other.id, by=manager, now=MONDAY)
    for listing_id in (row.supply_id, other.demand_id):
        withdraw(session, platform, session.get(Listing, listing_id))
    before = len(queued())

    with pytest.raises(Conflict, match="已下架"):
        decisions.hand_on(session, row.id, to=heir.id, by=manager, now=MONDAY)
    with pytest.raises(Conflict, match="已下架"):
        introductions.introduce(session, case.id, message="", deed=Deed(manager, MONDAY))

    assert len(queued()) == before
    assert row.progress is Progress.OPEN
