"""The figures: for everybody, for a technology manager, and for a service organisation."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from backend.accounts.dependencies import CurrentAccount, MaybeAccount, Now, PlatformDep
from backend.database import SessionDep
from backend.desk.visits import VisitDep
from backend.figures.months import read_month
from backend.figures.own_page import make_own_page, make_team_page, own_sheet, team_of, team_sheet
from backend.figures.public_page import PERIODS, make_public_page
from backend.figures.repository import Measure
from backend.figures.service import SHEETS, Chart, Question, Source
from backend.figures.sheets import Suffix, as_download
from backend.policy.catalogue import Catalogue
from backend.web.pages import LOCAL_ZONE, render

router = APIRouter(prefix="/figures")


def _source(request: Request, session: SessionDep, platform: PlatformDep, now: Now) -> Source:
    return Source(session, platform.catalogue, request.app, now, read_question(request, platform.catalogue))


SourceDep = Annotated[Source, Depends(_source)]


def read_question(request: Request, catalogue: Catalogue) -> Question:
    """Return what an address asks for; what it says wrongly is as if it were not there."""
    given = request.query_params
    measure, months, field = (given.get(name, "") for name in ("measure", "months", "field"))
    return Question(
        measure=Measure(measure) if measure in set(Measure) else Measure.CASES,
        months=int(months) if months in {code for code, _ in PERIODS if code} else 0,
        field=field if field in catalogue.fields else "",
    )


@router.get("", name="figures.show")
def show(request: Request, source: SourceDep, _account: MaybeAccount) -> Response:
    """Show the figures of the platform."""
    return render(request, make_public_page(source))


@router.get("/{chart}.{suffix}", name="figures.download")
def download(chart: Chart, suffix: Suffix, source: SourceDep) -> Response:
    """Hand out the numbers of one chart."""
    sheet = SHEETS[chart](source)
    return as_download(sheet, suffix, stem=chart.value, day=_day(source.now))


@router.get("/mine", name="figures.own")
def show_own(request: Request, visit: VisitDep, month: str = "") -> Response:
    """Show a manager's own month."""
    chosen = read_month(month, visit.now)
    return render(request, make_own_page(visit.session, request.app, visit.manager, chosen, now=visit.now))


@router.get("/mine/file.{suffix}", name="figures.own_file")
def download_own(suffix: Suffix, visit: VisitDep, month: str = "") -> Response:
    """Hand out a manager's own months."""
    sheet = own_sheet(visit.session, visit.manager, read_month(month, visit.now))
    return as_download(sheet, suffix, stem="month", day=_day(visit.now))


@router.get("/team", name="figures.team")
def show_team(request: Request, session: SessionDep, account: CurrentAccount, now: Now, month: str = "") -> Response:
    """Show the month of one's own service organisation."""
    return render(request, make_team_page(session, request.app, account, read_month(month, now), now=now))


@router.get("/team/file.{suffix}", name="figures.team_file")
def download_team(suffix: Suffix, session: SessionDep, account: CurrentAccount, now: Now, month: str = "") -> Response:
    """Hand out the month of one's own service organisation."""
    sheet, _ = team_sheet(session, team_of(session, account), read_month(month, now))
    return as_download(sheet, suffix, stem="team", day=_day(now))


def _day(now: datetime) -> str:
    return f"{now.astimezone(LOCAL_ZONE):%Y-%m-%d}"
