"""The audit trail, to be read by auditors and administrators. There is no route that changes or deletes an entry."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts import repository_trail, trail
from backend.accounts.dependencies import require
from backend.accounts.forms import TrailSearchForm
from backend.accounts.pages import Errors, pairs
from backend.accounts.pages_admin import TrailPage, TrailRow
from backend.accounts.paging import last_page, page_number
from backend.accounts.repository_trail import TrailQuery
from backend.accounts.tables import Account, Role, TrailEntry
from backend.database import SessionDep
from backend.errors import Invalid
from backend.web.forms import validate
from backend.web.pages import LOCAL_ZONE, build_url, render

router = APIRouter()

PAGE = 50
Auditor = Annotated[Account, require(Role.ADMINISTRATOR, Role.AUDITOR)]
FILTERS = ("who", "action", "result", "since", "until")


@router.get("/trail", name="accounts.trail")
def show_trail(request: Request, session: SessionDep, _by: Auditor) -> Response:
    """Show the trail, filtered by who, what, when and result, newest first."""
    given = {name: request.query_params.get(name, "") for name in FILTERS}
    try:
        wanted = validate(TrailSearchForm, given)
    except Invalid as error:
        page = _trail_page(request, session, TrailQuery(), given, errors=pairs(error.errors))
        return render(request, page, status=422)
    query = TrailQuery(
        who=wanted.who,
        action=wanted.action,
        result=wanted.result,
        since=_midnight(wanted.since) if wanted.since else None,
        before=_midnight(wanted.until) + timedelta(days=1) if wanted.until else None,
    )
    return render(request, _trail_page(request, session, query, given))


def _midnight(day: date) -> datetime:
    """Return when a day begins here."""
    return datetime.combine(day, time.min, tzinfo=LOCAL_ZONE)


def _trail_page(
    request: Request, session: Session, query: TrailQuery, given: Mapping[str, str], *, errors: Errors = ()
) -> TrailPage:
    current, total = page_number(request), repository_trail.count_entries(session, query)
    entries = repository_trail.find_entries(session, query, limit=PAGE, offset=(current - 1) * PAGE)
    return TrailPage(
        rows=trail_rows(entries),
        total=total,
        current=current,
        last=last_page(total, PAGE),
        base=build_url(request.app, "accounts.trail", **given),
        who=given["who"],
        action=given["action"],
        result=given["result"],
        since=given["since"],
        until=given["until"],
        actions=list(trail.action_names().items()),
        results=list(trail.RESULT_NAMES.items()),
        errors=errors,
    )


def trail_rows(entries: Sequence[TrailEntry]) -> list[TrailRow]:
    """Return entries of the trail in words."""
    return [
        TrailRow(
            at=entry.at.astimezone(LOCAL_ZONE),
            actor=entry.actor_name,
            action=trail.describe_action(entry),
            subject=trail.describe_subject(entry),
            result=entry.result,
            result_name=trail.RESULT_NAMES.get(entry.result, entry.result),
            source=entry.source,
            detail=trail.describe_detail(entry),
        )
        for entry in entries
    ]
