"""One's own account: name, password, sessions, tokens, and a copy of one's data."""

import json
from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts import own_account, repository, service, throttle, tokens
from backend.accounts.browsers import describe_browser
from backend.accounts.dependencies import CurrentAccount, CurrentLogin, Now, PasswordsDep, PlatformDep, Source
from backend.accounts.forms import ChangePasswordForm, NameForm, TokenForm
from backend.accounts.own_account import PasswordChange
from backend.accounts.pages import (
    AccountPage,
    Errors,
    PasswordPage,
    SessionRow,
    SessionsPage,
    TokenRow,
    TokensPage,
    pairs,
)
from backend.accounts.tables import Account, Organisation
from backend.database import SessionDep
from backend.errors import Invalid
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/account")


@router.get("", name="accounts.show")
def show(request: Request, session: SessionDep, account: CurrentAccount) -> Response:
    """Show one's own account."""
    return render(request, _account_page(session, account, display_name=account.display_name))


def _account_page(session: Session, account: Account, *, display_name: str, errors: Errors = ()) -> AccountPage:
    organisation = session.get(Organisation, account.organisation_id) if account.organisation_id else None
    return AccountPage(
        email=account.email,
        role=account.role,
        organisation=organisation.name if organisation else "",
        organisation_is_verified=organisation is not None and organisation.verified_at is not None,
        created_at=account.created_at.astimezone(LOCAL_ZONE),
        consented_at=account.consented_at.astimezone(LOCAL_ZONE) if account.consented_at else None,
        consent_version=account.consent_version,
        display_name=display_name,
        errors=errors,
    )


@router.post("/name", name="accounts.rename")
def rename(
    request: Request, form: FormDep, session: SessionDep, account: CurrentAccount, now: Now, source: Source
) -> Response:
    """Change the name that others see."""
    try:
        data = validate(NameForm, {"display_name": form.first("display_name")})
    except Invalid as error:
        page = _account_page(session, account, display_name=form.first("display_name"), errors=pairs(error.errors))
        return render(request, page, status=422)
    own_account.rename(session, account, data.display_name, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.show"), flash="姓名已保存。")


@router.get("/password", name="accounts.password")
def show_password(request: Request, account: CurrentAccount) -> Response:
    """Show the form for another password."""
    return render(request, PasswordPage(email=account.email))


@router.post("/password", name="accounts.change_password")
def change_password(
    request: Request,
    *,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    passwords: PasswordsDep,
    account: CurrentAccount,
    login_id: CurrentLogin,
    now: Now,
    source: Source,
) -> Response:
    """Change the password of somebody who gives the present one."""
    values = {name: form.first(name) for name in ("current", "password")}
    try:
        data = validate(ChangePasswordForm, {**values, "address": account.email})
    except Invalid as error:
        return render(request, PasswordPage(email=account.email, errors=pairs(error.errors)), status=422)
    with platform.transaction() as first:
        admission = own_account.begin_password_change(first, account, now=now)
    if admission.until is not None:
        minutes = throttle.minutes_until(admission.until, now=now)
        own_account.refuse_password_change(session, account, why="尝试次数太多", now=now, source=source)
        why = f"现在的密码输错的次数太多，没有修改。请过 {minutes} 分钟再试。"
        page = PasswordPage(email=account.email, errors=[("current", why)])
        return render(request, page, status=429, headers={"Retry-After": str(minutes * 60)})
    check = passwords.check(data.current, account.password_hash)
    change = PasswordChange(admission, check, passwords.hash(data.password))
    try:
        own_account.change_password(session, account, change, keep=login_id, now=now, source=source)
    except Invalid as error:
        own_account.refuse_password_change(session, account, why="现在的密码不对", now=now, source=source)
        return render(request, PasswordPage(email=account.email, errors=pairs(error.errors)), status=422)
    return redirect(request, build_url(request.app, "accounts.show"), flash="密码已修改，其他设备上的登录都已结束。")


@router.get("/sessions", name="accounts.sessions")
def show_sessions(
    request: Request,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    login_id: CurrentLogin,
    now: Now,
) -> Response:
    """Show where one is signed in."""
    seen_after = now - timedelta(minutes=platform.settings.session_idle_minutes)
    rows = [
        SessionRow(
            id=login.id,
            device=describe_browser(login.user_agent),
            source=login.source,
            created_at=login.created_at.astimezone(LOCAL_ZONE),
            last_seen_at=login.last_seen_at.astimezone(LOCAL_ZONE),
            is_current=login.id == login_id,
        )
        for login in repository.find_logins(session, account.id, now=now, seen_after=seen_after)
    ]
    return render(request, SessionsPage(sessions=sorted(rows, key=lambda row: not row.is_current)))


@router.post("/sessions/end-others", name="accounts.end_other_sessions")
def end_other_sessions(
    request: Request,
    _form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    login_id: CurrentLogin,
    now: Now,
    source: Source,
) -> Response:
    """Sign out everywhere but here."""
    ended = service.revoke_other_sessions(session, account, keep=login_id, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.sessions"), flash=f"已结束其他 {ended} 处登录。")


@router.post("/sessions/{login_id}/end", name="accounts.end_session")
def end_session(
    request: Request,
    login_id: UUID,
    _form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Sign out one browser."""
    service.revoke_session(session, account, login_id, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.sessions"), flash="这处登录已结束。")


@router.get("/tokens", name="accounts.tokens")
def show_tokens(request: Request, session: SessionDep, account: CurrentAccount) -> Response:
    """Show one's bearer tokens."""
    return render(request, TokensPage(tokens=_token_rows(session, account)))


def _token_rows(session: Session, account: Account) -> list[TokenRow]:
    return [
        TokenRow(
            id=token.id,
            name=token.name,
            hint=token.hint,
            created_at=token.created_at.astimezone(LOCAL_ZONE),
            last_used_at=token.last_used_at.astimezone(LOCAL_ZONE) if token.last_used_at else None,
            revoked_at=token.revoked_at.astimezone(LOCAL_ZONE) if token.revoked_at else None,
        )
        for token in repository.find_api_tokens(session, account.id)
    ]


@router.post("/tokens", name="accounts.create_token")
def create_token(
    request: Request, form: FormDep, session: SessionDep, account: CurrentAccount, now: Now, source: Source
) -> Response:
    """Create a bearer token and show it, on this answer and never again."""
    try:
        data = validate(TokenForm, {"name": form.first("name")})
    except Invalid as error:
        rows = _token_rows(session, account)
        page = TokensPage(tokens=rows, name=form.first("name"), errors=pairs(error.errors))
        return render(request, page, status=422)
    secret = tokens.create_token(session, account, name=data.name, now=now, source=source)
    return render(request, TokensPage(tokens=_token_rows(session, account), secret=secret))


@router.post("/tokens/{token_id}/revoke", name="accounts.revoke_token")
def revoke_token(
    request: Request,
    token_id: UUID,
    _form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Revoke one of one's own tokens."""
    tokens.revoke_token(session, account, token_id, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.tokens"), flash="令牌已撤销，用它的程序不能再访问。")


@router.post("/export", name="accounts.export")
def export(_form: FormDep, session: SessionDep, account: CurrentAccount, now: Now, source: Source) -> Response:
    """Send a copy of everything held about the account, as a JSON file."""
    copy = own_account.export(session, account, now=now, source=source)
    name = f"jiqiao-{now.astimezone(LOCAL_ZONE):%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    text = json.dumps(copy, ensure_ascii=False, indent=2)
    return Response(text, media_type="application/json", headers=headers)
