"""How the pages of the desk are put together from its tables."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request

from backend.accounts.paging import last_page
from backend.desk import repository, repository_cases
from backend.desk.case_page import colleague_options
from backend.desk.decisions import can_give_back
from backend.desk.pages import (
    REASONS,
    Done,
    QueuePage,
    QueueRow,
    QueueTab,
    RecommendationPage,
    note_on,
    remains_of,
    remains_of_pair,
    show_pairs,
    snooze_options,
)
from backend.desk.pair_extras import find_helps, find_similar_pairs
from backend.desk.repository import Tab
from backend.desk.repository_cases import USUAL_CAPACITY
from backend.desk.tables import Progress, Recommendation
from backend.desk.visits import Visit
from backend.listings import repository as listings
from backend.matching.pair_page import PairPage, load_pair, make_pair_page
from backend.web.pages import LOCAL_ZONE, build_url

PER_PAGE = 20


def make_queue_page(visit: Visit, tab: Tab, wanted: int) -> QueuePage:
    """Return one page of one list; a page beyond the end is the last one."""
    session, manager_id, now = visit.session, visit.manager.id, visit.now
    counts = repository.count_tabs(session, manager_id, now=now)
    last = last_page(counts[tab], PER_PAGE)
    current = min(wanted, last)
    offset = (current - 1) * PER_PAGE
    found = repository.find_rows(session, manager_id, tab, now=now, limit=PER_PAGE, offset=offset)
    profile = repository.find_profile(session, manager_id)
    return QueuePage(
        tab=tab.value,
        tabs=[QueueTab(one.label, tab_url(visit.request, one), counts[one], one is tab) for one in Tab],
        rows=_queue_rows(visit, found, offset),
        current=current,
        last=last,
        base=tab_url(visit.request, tab),
        reasons=REASONS,
        snoozes=snooze_options(now),
        has_profile=profile is not None,
        personalised=profile is None or profile.personalised,
        colleagues=colleague_options(visit) if tab is Tab.OPEN else (),
        open_cases=repository_cases.count_open(session, manager_id),
        capacity=profile.capacity if profile else USUAL_CAPACITY,
        is_away=repository_cases.is_away(session, manager_id, now.astimezone(LOCAL_ZONE).date()),
    )


def tab_url(request: Request, tab: Tab, **more: object) -> str:
    """Return the address of one list."""
    return build_url(request.app, "desk.queue", tab="" if tab is Tab.OPEN else tab.value, **more)


def _queue_rows(visit: Visit, found: Sequence[Recommendation], offset: int) -> list[QueueRow]:
    session, manager = visit.session, visit.manager
    shown = {pair.row.id: pair.bridge for pair in show_pairs(session, found, manager=manager, platform=visit.platform)}
    hidden = [one for row in found if row.id not in shown for one in (row.demand_id, row.supply_id)]
    bundles = listings.load_bundles(session, hidden)
    cases = repository.find_own_cases(session, manager.id, [(row.supply_id, row.demand_id) for row in found])
    rows = []
    for place, row in enumerate(found, start=offset + 1):
        remains = () if row.id in shown else tuple(remains_of(bundles[one]) for one in (row.demand_id, row.supply_id))
        case = cases.get((row.supply_id, row.demand_id))
        case_href = build_url(visit.request.app, "desk.case", case_id=case.id) if case else ""
        rows.append(QueueRow(row.id, place, shown.get(row.id), remains, row.reason, note_on(row), case_href))
    return rows


def find_done(visit: Visit, text: str) -> Done | None:
    """Return what was just decided, if it can be undone from here."""
    try:
        row = visit.session.get(Recommendation, UUID(text))
    except ValueError:
        return None
    if row is None or row.manager_id != visit.manager.id:
        return None
    can_undo = row.progress in {Progress.DISMISSED, Progress.SNOOZED, Progress.HANDED} or _can_give_back(visit, row)
    return Done(row.id, f"{note_on(row)}。") if can_undo else None


def _can_give_back(visit: Visit, row: Recommendation) -> bool:
    if row.progress is not Progress.TAKEN:
        return False
    case = repository.find_open_case(visit.session, row.supply_id, row.demand_id)
    return case is not None and case.version == 1 and can_give_back(case, now=visit.now)


def make_recommendation_page(visit: Visit, row: Recommendation) -> RecommendationPage:
    """Return the page of one recommended pair."""
    demand, supply = load_pair(visit.session, row.demand_id, row.supply_id)
    page = make_pair_page(visit.session, demand, supply, platform=visit.platform, reader=visit.manager)
    case = repository.find_open_case(visit.session, row.supply_id, row.demand_id)
    is_own = case is not None and case.manager_id == visit.manager.id
    return RecommendationPage(
        id=row.id,
        pair=page if isinstance(page, PairPage) else None,
        remains=() if isinstance(page, PairPage) else remains_of_pair(page),
        progress=row.progress.value,
        note=note_on(row),
        why=row.reason,
        is_taken_by_other=case is not None and not is_own,
        case_href=build_url(visit.request.app, "desk.case", case_id=case.id) if case and is_own else "",
        reasons=REASONS,
        snoozes=snooze_options(visit.now),
        colleagues=colleague_options(visit),
        helps=find_helps(demand, supply, visit.platform.catalogue),
        similar=find_similar_pairs(visit, demand, supply),
    )
