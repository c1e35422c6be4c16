"""Proof that a change was asked for from one of our own pages.

Every browser gets a random cookie. A form carries a salted HMAC of it, so that the token differs on every page (a
compressed page gives nothing away) and is worth nothing in another browser.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request

from backend.errors import Forbidden

COOKIE = "jq_browser"
FIELD = "csrf_token"
HEADER = "x-csrf-token"
SALT_BYTES = 8


def new_browser_id() -> str:
    """Return a random value for the browser's cookie, 128 bits."""
    return secrets.token_urlsafe(16)


def make_token(key: str, browser_id: str) -> str:
    """Return a token for one form of one browser."""
    salt = secrets.token_hex(SALT_BYTES)
    return f"{salt}.{_sign(key, browser_id, salt)}"


def is_valid(key: str, browser_id: str, token: str) -> bool:
    """Tell whether the token was made by us for this browser."""
    salt, _, signature = token.partition(".")
    return bool(browser_id) and hmac.compare_digest(_sign(key, browser_id, salt).encode(), signature.encode())


def _sign(key: str, browser_id: str, salt: str) -> str:
    return hmac.new(key.encode(), f"csrf:{salt}:{browser_id}".encode(), hashlib.sha256).hexdigest()


def check(request: Request, token: str) -> None:
    """Refuse a change that does not prove that it comes from our own page.

    Raises: Forbidden, with a sentence that says what to do.
    """
    origin = request.headers.get("origin", "")
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    is_foreign = fetched_from in {"cross-site", "same-site"}
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        is_foreign = True
    key = request.app.state.platform.settings.signing_key
    if is_foreign or not is_valid(key, request.cookies.get(COOKIE, ""), token):
        raise Forbidden(
            "这一页已经失效，没有提交成功。", remedy="请刷新页面后再提交；如仍不行，请允许本站使用 Cookie。"
        )
