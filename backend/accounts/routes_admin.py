"""Administration of accounts and organisations, and the audit trail."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts import administration, repository, repository_trail, routes_organisations, routes_trail
from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.forms import AccountSearchForm, RoleForm, SuspensionForm
from backend.accounts.pages import Errors, pairs
from backend.accounts.pages_admin import AccountAdminPage, AccountListPage, AccountListRow, Choice
from backend.accounts.paging import last_page, page_number
from backend.accounts.repository import AccountState
from backend.accounts.repository_trail import TrailQuery
from backend.accounts.routes_trail import trail_rows
from backend.accounts.tables import Account, Organisation, Role
from backend.database import SessionDep
from backend.errors import Invalid
from backend.mail.messages import sender_of
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/admin")
router.include_router(routes_organisations.router)
router.include_router(routes_trail.router)

PAGE = 20
ENTRIES_OF_ACCOUNT = 10
Administrator = Annotated[Account, require(Role.ADMINISTRATOR)]


@router.get("/accounts", name="accounts.admin")
def list_accounts(request: Request, session: SessionDep, _by: Administrator) -> Response:
    """Show all accounts, searched and paged."""
    given = {name: request.query_params.get(name, "") for name in ("q", "role", "state")}
    search = validate(AccountSearchForm, given)
    current = page_number(request)
    rows, total = repository.find_accounts(
        session, text=search.q, role=search.role, state=search.state, limit=PAGE, offset=(current - 1) * PAGE
    )
    page = AccountListPage(
        rows=[_account_row(row) for row in rows],
        total=total,
        current=current,
        last=last_page(total, PAGE),
        base=build_url(request.app, "accounts.admin", **given),
        q=search.q,
        roles=_choices(Role, search.role),
        states=_choices(AccountState, search.state),
    )
    return render(request, page)


def _choices(kind: type[Role] | type[AccountState], chosen: str | None) -> list[Choice]:
    return [Choice(value.value, value.label, checked=value == chosen) for value in kind]


def _account_row(row: repository.AccountRow) -> AccountListRow:
    account = row.account
    return AccountListRow(
        id=account.id,
        display_name=account.display_name,
        email=account.email,
        role=account.role,
        organisation=row.organisation.name if row.organisation else "",
        state=_state_of(account).value,
        created_at=account.created_at.astimezone(LOCAL_ZONE),
    )


def _state_of(account: Account) -> AccountState:
    if account.suspended_at is not None:
        return AccountState.SUSPENDED
    return AccountState.UNCONFIRMED if account.confirmed_at is None else AccountState.ACTIVE


@router.get("/accounts/{account_id}", name="accounts.admin_show")
def show_account(request: Request, account_id: UUID, session: SessionDep, by: Administrator) -> Response:
    """Show one account."""
    return render(request, _account_page(session, account_id, by))


def _account_page(
    session: Session, account_id: UUID, by: Account, *, role: str = "", reason: str = "", errors: Errors = ()
) -> AccountAdminPage:
    account = administration.get_account(session, account_id)
    organisation = session.get(Organisation, account.organisation_id) if account.organisation_id else None
    about = TrailQuery(subject=f"account:{account.id}")
    return AccountAdminPage(
        id=account.id,
        display_name=account.display_name,
        email=account.email,
        role=account.role,
        organisation=organisation.name if organisation else "",
        organisation_is_verified=organisation is not None and organisation.verified_at is not None,
        state=_state_of(account).value,
        created_at=account.created_at.astimezone(LOCAL_ZONE),
        confirmed_at=account.confirmed_at.astimezone(LOCAL_ZONE) if account.confirmed_at else None,
        suspended_at=account.suspended_at.astimezone(LOCAL_ZONE) if account.suspended_at else None,
        suspension_reason=account.suspension_reason,
        is_self=account.id == by.id,
        roles=_choices(Role, role or account.role),
        chosen_role=role or account.role,
        entries=trail_rows(repository_trail.find_entries(session, about, limit=ENTRIES_OF_ACCOUNT)),
        reason=reason,
        errors=errors,
    )


@router.post("/accounts/{account_id}/role", name="accounts.change_role")
def change_role(
    request: Request, account_id: UUID, form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Give an account another role, from the next request on."""
    try:
        data = validate(RoleForm, {"role": form.first("role")})
    except Invalid as error:
        page = _account_page(session, account_id, by, role=form.first("role"), errors=pairs(error.errors))
        return render(request, page, status=422)
    account = administration.change_role(session, account_id, data.role, by=by, now=now, source=source)
    text = f"{account.display_name}现在是{data.role.label}。"
    return redirect(request, build_url(request.app, "accounts.admin_show", account_id=account_id), flash=text)


@router.post("/accounts/{account_id}/suspend", name="accounts.suspend")
def suspend(
    request: Request,
    *,
    account_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    by: Administrator,
    now: Now,
    source: Source,
) -> Response:
    """Suspend an account for a reason that it is told."""
    try:
        data = validate(SuspensionForm, {"reason": form.first("reason")})
    except Invalid as error:
        page = _account_page(session, account_id, by, reason=form.first("reason"), errors=pairs(error.errors))
        return render(request, page, status=422)
    sender = sender_of(platform.settings)
    account = administration.suspend(
        session, account_id, reason=data.reason, by=by, sender=sender, now=now, source=source
    )
    text = f"{account.display_name}的账号已停用，原因已用邮件告知本人。"
    return redirect(request, build_url(request.app, "accounts.admin_show", account_id=account_id), flash=text)


@router.post("/accounts/{account_id}/lift", name="accounts.lift")
def lift(
    request: Request, account_id: UUID, _form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Let a suspended account act again."""
    account = administration.lift_suspension(session, account_id, by=by, now=now, source=source)
    text = f"{account.display_name}的账号已恢复，可以重新登录。"
    return redirect(request, build_url(request.app, "accounts.admin_show", account_id=account_id), flash=text)
