"""The desk: the queue of recommended pairs, decisions on each, cases, and what a manager cares for."""

from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import Source
from backend.accounts.paging import LAST_PAGE, page_number
from backend.accounts.tables import Account
from backend.desk import decisions, routes_cases, routes_learning, routes_profile
from backend.desk.forms import DismissForm, HandOnForm, SnoozeForm
from backend.desk.forms_cases import MessageForm
from backend.desk.queue_page import find_done, make_queue_page, make_recommendation_page, tab_url
from backend.desk.repository import Tab
from backend.desk.tables import Recommendation
from backend.desk.visits import Visit, VisitDep
from backend.errors import Invalid, NotFound
from backend.web.forms import FormDep, SubmittedForm, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/desk")
LONGEST_RANK = 3


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
    """Begin to work on a pair; from the queue, the next pair comes at once."""
    case = decisions.take(
        visit.session, recommendation_id, by=visit.manager, now=visit.now, source=source, rank=_rank(form)
    )
    if form.first("from") == "queue":
        return redirect(request, _back(request, form, recommendation_id))
    target = build_url(request.app, "desk.case", case_id=case.id)
    return redirect(request, target, flash="已开始接洽。这一对不会再推荐给其他技术经理人接洽。")


@router.post("/recommendations/{recommendation_id}/introduce", name="desk.take_and_introduce")
def take_and_introduce(
    request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source
) -> Response:
    """Begin to work on a pair and send an expression of interest to both sides."""
    try:
        said = validate(MessageForm, {"message": form.first("message")})
    except Invalid as error:
        return _again(visit, recommendation_id, form, [(one.field, one.message) for one in error.errors])
    case = decisions.take(
        visit.session,
        recommendation_id,
        by=visit.manager,
        now=visit.now,
        source=source,
        rank=_rank(form),
        message=said.message,
    )
    if form.first("from") == "queue":
        return redirect(request, _back(request, form, recommendation_id))
    target = build_url(request.app, "desk.case", case_id=case.id)
    return redirect(request, target, flash="已推荐给双方，邮件马上发出。双方都同意后，这里会显示联系方式。")


@router.post("/recommendations/{recommendation_id}/hand-on", name="desk.hand_on")
def hand_on(request: Request, recommendation_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Pass a pair on to another manager."""
    try:
        said = validate(HandOnForm, {"to": form.first("to")})
    except Invalid:
        return _again(visit, recommendation_id, form, [("to", "请选择转派给哪一位技术经理人。")])
    decisions.hand_on(visit.session, recommendation_id, to=said.to, by=visit.manager, now=visit.now, source=source)
    return redirect(request, _back(request, form, recommendation_id))


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
    today = visit.now.astimezone(LOCAL_ZONE).date()
    try:
        said = validate(SnoozeForm, {"days": form.first("days"), "on": form.first("on")}, context=today)
    except Invalid as error:
        on_day = [(one.field, one.message) for one in error.errors if one.field == "on"]
        return _again(visit, recommendation_id, form, on_day or [("days", "请选择什么时候再看这一对。")])
    decisions.snooze(
        visit.session,
        recommendation_id,
        by=visit.manager,
        days=said.days_from(today),
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


router.include_router(routes_cases.router)
router.include_router(routes_profile.router)
router.include_router(routes_learning.router)
