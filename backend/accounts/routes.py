"""Signing in and out. The routes of registration and of one's own account are joined here."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts import routes_own, routes_registration, sign_in, throttle
from backend.accounts.cookies import SESSION_COOKIE, find_device_cookie, keep_session, know_device
from backend.accounts.dependencies import MaybeAccount, Now, PasswordsDep, PlatformDep, Source
from backend.accounts.forms import LoginForm
from backend.accounts.pages import Errors, LoginPage, SuspendedPage, UnconfirmedPage, pairs
from backend.accounts.sign_in import Verdict, Visitor
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.errors import Invalid
from backend.platform import Platform
from backend.web.forms import FormDep, SubmittedForm, validate
from backend.web.pages import is_local, redirect, render

router = APIRouter()
router.include_router(routes_registration.router)
router.include_router(routes_own.router)

WRONG = "邮箱或密码不对。请检查后再试；忘记密码可以用邮件重设。"


@router.get("/login", name="accounts.login")
def show_login(request: Request, account: MaybeAccount, next: str = "") -> Response:  # noqa: A002 - its public name
    """Show the login form; who is signed in goes on."""
    target = next if is_local(next) else ""
    if account is not None:
        return redirect(request, target or "/")
    return render(request, LoginPage(next=target))


@router.post("/login", name="accounts.sign_in")
def log_in(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    passwords: PasswordsDep,
    now: Now,
    source: Source,
) -> Response:
    """Sign in: count the try, look at the password while no transaction is open, then open a session or not."""
    try:
        data = validate(LoginForm, {"email": form.first("email"), "password": form.first("password")})
    except Invalid as error:
        return _login_again(request, form, errors=pairs(error.errors))
    visitor = _visitor(request, platform, data.email, source)
    with platform.transaction() as first:
        attempt = sign_in.begin(first, data.email, visitor, now=now)
    if attempt.admission.until is not None:
        return _locked(request, form, attempt.admission.until, now)
    check = passwords.check(data.password, attempt.known_hash)
    outcome = sign_in.finish(session, attempt, check, hours=platform.settings.session_absolute_hours, now=now)
    if outcome.verdict is not Verdict.SIGNED_IN:
        return _refused(request, form, outcome.verdict, outcome.account)
    response = redirect(request, form.first("next") or "/")
    keep_session(request, response, platform.settings, outcome.token)
    know_device(request, response, platform.settings, data.email)
    return response


def _visitor(request: Request, platform: Platform, address: str, source: str) -> Visitor:
    return Visitor(
        source=source,
        user_agent=request.headers.get("user-agent", ""),
        device=sign_in.find_device(platform.settings.signing_key, address, find_device_cookie(request)),
        session_token=request.cookies.get(SESSION_COOKIE, ""),
    )


def _login_again(
    request: Request,
    form: SubmittedForm,
    *,
    errors: Errors,
    status: int = 422,
    headers: Mapping[str, str] | None = None,
) -> Response:
    target = form.first("next")
    page = LoginPage(email=form.first("email"), next=target if is_local(target) else "", errors=errors)
    return render(request, page, status=status, headers=headers)


def _locked(request: Request, form: SubmittedForm, until: datetime, now: datetime) -> Response:
    minutes = throttle.minutes_until(until, now=now)
    why = f"尝试的次数太多，暂时不能再试。请过 {minutes} 分钟再登录，或者用邮件重设密码。"
    headers = {"Retry-After": str(minutes * 60)}
    return _login_again(request, form, errors=[("email", why)], status=429, headers=headers)


def _refused(request: Request, form: SubmittedForm, verdict: Verdict, account: Account | None) -> Response:
    """Answer a try that opened no session; what is known of the account is said only after the right password."""
    if account is not None and verdict is Verdict.UNCONFIRMED:
        return render(request, UnconfirmedPage(email=account.email), status=403)
    if account is not None and account.suspended_at is not None:
        return render(
            request, SuspendedPage(reason=account.suspension_reason, suspended_at=account.suspended_at), status=403
        )
    return _login_again(request, form, errors=[("email", WRONG)])


@router.post("/logout", name="accounts.logout")
def log_out(
    request: Request, _form: FormDep, session: SessionDep, account: MaybeAccount, now: Now, source: Source
) -> Response:
    """End this browser's session; without one there is nothing to end."""
    if account is not None:
        sign_in.sign_out(session, account, request.cookies.get(SESSION_COOKIE, ""), now=now, source=source)
    response = redirect(request, "/", flash="已退出登录。")
    response.delete_cookie(SESSION_COOKIE)
    return response
