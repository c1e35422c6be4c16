"""Secrets that are shown once and kept as a hash; the bearer tokens of the REST API."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.accounts import repository, trail
from backend.accounts.tables import Account, ApiToken
from backend.errors import Conflict, NotFound

API_PREFIX = "jq_"
SECRET_BYTES = 32
SHOWN_END = 4
MOST_LIVE_TOKENS = 10
TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class TokenOwner:
    """A bearer token in force and whose it is."""

    token: ApiToken
    account: Account


def new_secret(prefix: str = "") -> str:
    """Return 256 random bits as text that fits a cookie, a header and an address."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what the database keeps of a secret: enough to know it again, of no use to a thief.

    A plain SHA-256 is enough, because nobody can guess 256 random bits.
    """
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def find_token_owner(session: Session, token: str, now: datetime) -> TokenOwner | None:
    """Return whom a bearer token speaks for, as long as the token and the account are in force."""
    found = repository.find_api_token(session, digest(token)) if token.startswith(API_PREFIX) else None
    if found is None:
        return None
    api_token, account = found
    is_revoked = api_token.revoked_at is not None and api_token.revoked_at <= now
    return None if is_revoked or not account.is_active else TokenOwner(api_token, account)


def is_token_stale(token: ApiToken, *, now: datetime) -> bool:
    """Tell whether it is time to note that a token is in use."""
    return token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY


def touch_token(session: Session, token_id: UUID, *, now: datetime) -> None:
    """Note that a token is in use."""
    repository.touch_api_token(session, token_id, now=now)


def create_token(session: Session, account: Account, *, name: str, now: datetime, source: str) -> str:
    """Create a bearer token and return it; it can never be read again."""
    if repository.count_live_api_tokens(session, account.id) >= MOST_LIVE_TOKENS:
        raise Conflict(
            f"没有创建令牌：您已有 {MOST_LIVE_TOKENS} 个有效的令牌。", remedy="请先撤销不再使用的令牌，再创建新的。"
        )
    secret = new_secret(API_PREFIX)
    token = ApiToken(
        token_hash=digest(secret), account_id=account.id, name=name, hint=secret[-SHOWN_END:], created_at=now
    )
    session.add(token)
    session.flush()
    trail.record(
        session,
        account,
        action="accounts.create_token",
        subject=f"token:{token.id}",
        source=source,
        detail={"name": name},
        now=now,
    )
    return secret


def revoke_token(session: Session, account: Account, token_id: UUID, *, now: datetime, source: str) -> None:
    """Revoke one of the account's own tokens; the next request that carries it is refused."""
    token = session.get(ApiToken, token_id)
    if token is None or token.account_id != account.id:
        raise NotFound("没有这个令牌。")
    if token.revoked_at is None:
        token.revoked_at = now
    trail.record(
        session,
        account,
        action="accounts.revoke_token",
        subject=f"token:{token.id}",
        source=source,
        detail={"name": token.name},
        now=now,
    )
