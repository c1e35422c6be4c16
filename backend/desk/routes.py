"""The desk: the queue of recommended pairs, decisions on each, cases, and what a manager cares for."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import LAST_PAGE, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.desk import decisions, repository, routes_profile
from backend.desk.decisions import UNDO_TAKING_FOR
from backend.desk.forms import DismissForm, SnoozeForm
from backend.desk.pages import CasePage, remains_of_pair
from backend.desk.queue_page import Visit, find_done, make_queue_page, make_recommendation_page, tab_url
from backend.desk.repository import Tab
from backend.desk.tables import Case, Recommendation
from backend.errors import Invalid, NotFound
from backend.matching.pair_page import PairPage, load_pair, make_pair_page
from backend.web.forms import FormDep, SubmittedForm, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/desk")
LONGEST_RANK = 3
Manager = Annotated[Account, require(Role.MANAGER)]


def _visit(request: Request, session: SessionDep, platform: PlatformDep, manager: Manager, now: Now) -> Visit:
    return Visit(request, session, platform, manager, now)


VisitDep = Annotated[Visit, Depends(_visit)]


@router.get("", name="desk.queue")
def show_queue(request: Request, visit: VisitDep) -> Response:
    """Show one of the four lists of a manager's desk."""
    page = make_queue_page(visit, _tab(request.query_params.get("tab", "")), page_number(request))
    return render(request, replace(page, done=find_done(visit, request.query_params.get("done", ""))))


@router.get("/recommendations/{recommendation_id}", name="desk.recommendation")
def show_recommendation(request: Request, recommendation_id: UUID, visit: VisitDep) -> Response:
    """Show one recommended pair, both sides beside each other."""
    row = _own_recommendation(visit.session, recommendation_id, visit.manager)
    return render(request, make_recommendation_page(visit, row))


def _own_recommendation(session: Session, recommendation_id: UUID, manager: Account) -> Recommendation:
    row = session.get(Recommendation, recommendation_id)
    if row is None or row.manager_id != manager.id:
        raise NotFound(decisions.NO_PAIR)
    return row


@router.post("/recommendations/{recommendation_id}/take", name="desk.take")
def take(request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Begin to work on a pair."""
    case = decisions.take(
        visit.session, recommendation_id, by=visit.manager, now=visit.now, source=source, rank=_rank(form)
    )
    target = build_url(request.app, "desk.case", case_id=case.id)
    return redirect(request, target, flash="已开始接洽。这一对不会再推荐给其他技术经理人接洽。")


@router.post("/recommendations/{recommendation_id}/dismiss", name="desk.dismiss")
def dismiss(request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Put a pair away with a reason."""
    try:
        said = validate(DismissForm, {"reason": form.first("reason")})
    except Invalid:
        errors = [("reason", "请选择一个不合适的理由。")]
        return _again(visit, recommendation_id, form, errors)
    decisions.dismiss(
        visit.session,
        recommendation_id,
        by=visit.manager,
        reason=said.reason,
        now=visit.now,
        source=source,
        rank=_rank(form),
    )
    return redirect(request, _back(request, form, recommendation_id))


@router.post("/recommendations/{recommendation_id}/snooze", name="desk.snooze")
def snooze(request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Put a pair off until a day."""
    try:
        said = validate(SnoozeForm, {"days": form.first("days")})
    except Invalid:
        errors = [("days", "请选择什么时候再看这一对。")]
        return _again(visit, recommendation_id, form, errors)
    decisions.snooze(
        visit.session,
        recommendation_id,
        by=visit.manager,
        days=int(said.days),
        now=visit.now,
        source=source,
        rank=_rank(form),
    )
    return redirect(request, _back(request, form, recommendation_id))


def _again(visit: Visit, recommendation_id: UUID, form: SubmittedForm, errors: list[tuple[str, str]]) -> Response:
    """Show the page that a form came from again, with what was wrong beside it."""
    row = _own_recommendation(visit.session, recommendation_id, visit.manager)
    if form.first("from") == "pair":
        page = make_recommendation_page(visit, row)
        return render(visit.request, replace(page, errors=errors), status=422)
    queue = make_queue_page(visit, _tab(form.first("tab")), _page(form))
    # On a queue every pair has fields of its own; the summary leads to the one that was meant.
    named = [(f"{name}-{recommendation_id}", text) for name, text in errors]
    return render(visit.request, replace(queue, errors=named), status=422)


@router.post("/recommendations/{recommendation_id}/undo", name="desk.undo")
def undo(request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Put a pair back into the queue."""
    decisions.undo(visit.session, recommendation_id, by=visit.manager, now=visit.now, source=source)
    return redirect(request, tab_url(request, _tab(form.first("tab"))), flash="已撤销，这一对回到了“待处理”。")


def _back(request: Request, form: SubmittedForm, recommendation_id: UUID) -> str:
    page = _page(form)
    return tab_url(request, _tab(form.first("tab")), page=page if page > 1 else "", done=recommendation_id)


def _tab(asked: str) -> Tab:
    return Tab(asked) if asked in set(Tab) else Tab.OPEN


def _page(form: SubmittedForm) -> int:
    return min(_number(form.first("page")) or 1, LAST_PAGE)


def _rank(form: SubmittedForm) -> int:
    return _number(form.first("rank"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_RANK else 0


@router.get("/cases/{case_id}", name="desk.case")
def show_case(request: Request, case_id: UUID, visit: VisitDep) -> Response:
    """Show a pair that the manager works on."""
    session, manager = visit.session, visit.manager
    case = session.get(Case, case_id)
    if case is None or case.manager_id != manager.id:
        raise NotFound("没有这次接洽，或者它不是由您接洽的。", remedy="请在工作台的“已接洽”里查找。")
    demand, supply = load_pair(session, case.demand_id, case.supply_id)
    page = make_pair_page(session, demand, supply, platform=visit.platform, reader=manager)
    row = repository.find_recommendation(session, manager.id, supply_id=case.supply_id, demand_id=case.demand_id)
    shown = CasePage(
        id=case.id,
        recommendation_id=row.id if row else None,
        pair=page if isinstance(page, PairPage) else None,
        remains=() if isinstance(page, PairPage) else remains_of_pair(page),
        taken_at=case.taken_at.astimezone(LOCAL_ZONE),
        can_undo=row is not None and decisions.can_give_back(case, now=visit.now),
        undo_minutes=int(UNDO_TAKING_FOR.total_seconds() // 60),
    )
    return render(request, shown)


router.include_router(routes_profile.router)
