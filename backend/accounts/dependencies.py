"""Who is asking: the signed-in account of a request, by cookie or, for the API, by bearer token."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.accounts import service
from backend.accounts.cookies import SESSION_COOKIE
from backend.accounts.passwords import Passwords, shared_passwords
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.errors import Forbidden, SignInNeeded
from backend.platform import Platform
from backend.web.pages import Viewer


def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


PlatformDep = Annotated[Platform, Depends(_platform)]


def _now(platform: PlatformDep) -> datetime:
    return platform.clock()


Now = Annotated[datetime, Depends(_now)]

# Tests put a cheaper one in its place: `app.dependency_overrides[shared_passwords] = lambda: Passwords(memory_kib=64)`.
PasswordsDep = Annotated[Passwords, Depends(shared_passwords)]


def load_viewer(request: Request, session: SessionDep, platform: PlatformDep, now: Now) -> Account | None:
    """Find the signed-in account, let pages see it, and note that its session is in use.

    It is read in a session of its own, so that the transaction of a change begins with the change: on SQLite a
    transaction that may write keeps all others from writing, and touching the session here would wait for itself.
    """
    token = request.cookies.get(SESSION_COOKIE, "")
    request.state.viewer = None
    request.state.login_id = None
    if not token:
        return None
    idle_minutes = platform.settings.session_idle_minutes
    with platform.reading() as early:
        signed_in = service.find_signed_in(early, token, now=now, idle_minutes=idle_minutes)
    if signed_in is None:
        return None
    if service.is_stale(signed_in.login, now=now, idle_minutes=idle_minutes):
        with platform.transaction() as writing:
            service.touch_session(writing, signed_in.login.id, now=now)
    account = session.merge(signed_in.account, load=False)
    request.state.login_id = signed_in.login.id
    request.state.viewer = Viewer(id=account.id, display_name=account.display_name, role=account.role)
    return account


MaybeAccount = Annotated[Account | None, Depends(load_viewer)]


def _current_account(account: MaybeAccount) -> Account:
    if account is None:
        raise SignInNeeded("请先登录。")
    return account


CurrentAccount = Annotated[Account, Depends(_current_account)]


def _current_login(request: Request, _account: CurrentAccount) -> UUID:
    login_id: UUID = request.state.login_id
    return login_id


CurrentLogin = Annotated[UUID, Depends(_current_login)]


def require(*roles: Role) -> object:
    """Return a dependency that lets only these roles in; services check again what concerns them."""

    def check(account: CurrentAccount) -> Account:
        if account.role not in roles:
            named = "、".join(role.label for role in roles)
            raise Forbidden(f"这一页只对{named}开放。")
        return account

    return Depends(check)


_bearer = HTTPBearer(auto_error=False, description="在账号页面创建的令牌，以 jq_ 开头")


def _api_account(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: SessionDep,
    platform: PlatformDep,
    now: Now,
) -> Account:
    if credentials is None:
        raise SignInNeeded("没有收到令牌。", remedy="请在账号页面创建令牌，并放在请求头 Authorization: Bearer 中。")
    with platform.reading() as early:
        owner = service.find_token_owner(early, credentials.credentials, now)
    if owner is None:
        raise SignInNeeded("令牌无效：它可能已经撤销，或者账号已经停用。", remedy="请在账号页面创建新的令牌。")
    if service.is_token_stale(owner.token, now=now):
        with platform.transaction() as writing:
            service.touch_token(writing, owner.token.id, now=now)
    return session.merge(owner.account, load=False)


ApiAccount = Annotated[Account, Depends(_api_account)]


def _maybe_api_account(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    session: SessionDep,
    platform: PlatformDep,
    now: Now,
) -> Account | None:
    """Let the public in without a token; one that is given must be in force."""
    return None if credentials is None else _api_account(credentials, session, platform, now)


MaybeApiAccount = Annotated[Account | None, Depends(_maybe_api_account)]


def source_of(request: Request) -> str:
    """Return the address a request came from, as far as the proxy in front is believed."""
    platform: Platform = request.app.state.platform
    forwarded = request.headers.get("x-forwarded-for", "")
    if platform.settings.trusted_proxy and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()[:64]
    return (request.client.host if request.client else "")[:64]


Source = Annotated[str, Depends(source_of)]
