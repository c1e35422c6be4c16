"""The cookies of signing in: the session, and the mark by which a browser is known again at the next login."""

from fastapi import Request
from fastapi.responses import Response

from backend.accounts import sign_in
from backend.settings import Settings

SESSION_COOKIE = "jq_session"
DEVICE_COOKIE = "jq_device"
# Only the login form looks at the mark, so only it is sent there.
DEVICE_PATH = "/login"
A_YEAR_SECONDS = 31_536_000


def keep_session(request: Request, response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session, for as long as one may last."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_absolute_hours * 3600,
        httponly=True,
        secure=_is_secure(request, settings),
        samesite="lax",
    )


def know_device(request: Request, response: Response, settings: Settings, address: str) -> None:
    """Let the browser be known again as one that signed in to this account."""
    response.set_cookie(
        DEVICE_COOKIE,
        sign_in.make_device(settings.signing_key, address),
        max_age=A_YEAR_SECONDS,
        path=DEVICE_PATH,
        httponly=True,
        secure=_is_secure(request, settings),
        samesite="lax",
    )


def find_device_cookie(request: Request) -> str:
    """Return the mark that a browser shows, or nothing."""
    return request.cookies.get(DEVICE_COOKIE, "")


def _is_secure(request: Request, settings: Settings) -> bool:
    return request.url.scheme == "https" or settings.base_url.startswith("https://")
