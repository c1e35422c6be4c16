"""Administration of organisations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts import organisations, repository
from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.forms import AccountSearchForm
from backend.accounts.pages_admin import OrganisationListPage, OrganisationRow
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Organisation, Role
from backend.database import SessionDep
from backend.policy.catalogue import Catalogue
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter()

PAGE = 20
Administrator = Annotated[Account, require(Role.ADMINISTRATOR)]


@router.get("/organisations", name="accounts.organisations")
def list_organisations(
    request: Request, session: SessionDep, platform: PlatformDep, _by: Administrator, q: str = ""
) -> Response:
    """Show all organisations, searched and paged."""
    text = validate(AccountSearchForm, {"q": q}).q
    current, total = page_number(request), repository.count_organisations(session, text=text)
    found = repository.find_organisations(session, text=text, limit=PAGE, offset=(current - 1) * PAGE)
    page = OrganisationListPage(
        rows=[_row(organisation, count, platform.catalogue) for organisation, count in found],
        total=total,
        current=current,
        last=last_page(total, PAGE),
        base=build_url(request.app, "accounts.organisations", q=text),
        q=text,
    )
    return render(request, page)


def _row(organisation: Organisation, accounts: int, catalogue: Catalogue) -> OrganisationRow:
    region = catalogue.find_region(organisation.region_code)
    return OrganisationRow(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        place=" ".join(part.name for part in catalogue.path_of(region.code)) if region else organisation.region_code,
        accounts=accounts,
        verified_at=organisation.verified_at.astimezone(LOCAL_ZONE) if organisation.verified_at else None,
        created_at=organisation.created_at.astimezone(LOCAL_ZONE),
    )


@router.post("/organisations/{organisation_id}/verify", name="accounts.verify_organisation")
def verify(
    request: Request,
    organisation_id: UUID,
    form: FormDep,
    session: SessionDep,
    by: Administrator,
    now: Now,
    source: Source,
) -> Response:
    """Mark an organisation as verified, or take the mark back."""
    is_verified = form.first("verified") == "1"
    organisation = organisations.verify_organisation(
        session, organisation_id, is_verified=is_verified, by=by, now=now, source=source
    )
    text = f"{organisation.name}已标为已核实。" if is_verified else f"{organisation.name}的核实标记已撤销。"
    return redirect(request, build_url(request.app, "accounts.organisations"), flash=text)
