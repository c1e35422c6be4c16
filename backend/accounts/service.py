"""Signed-in browsers: how a session begins, is found again, and ends. Also the door to what other parts call."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.accounts import repository, repository_attempts, throttle, trail
from backend.accounts.repository import SignedIn
from backend.accounts.tables import Account, LoginSession
from backend.accounts.tokens import TokenOwner, digest, find_token_owner, is_token_stale, new_secret, touch_token
from backend.errors import NotFound

__all__ = [
    "SignedIn",
    "TokenOwner",
    "end_session",
    "end_sessions",
    "find_signed_in",
    "find_token_owner",
    "is_stale",
    "is_token_stale",
    "open_session",
    "prune",
    "revoke_other_sessions",
    "revoke_session",
    "touch_session",
    "touch_token",
]

TOUCH_EVERY = timedelta(minutes=5)
# With a short idle limit a session is touched more often, so that one in use never ends for lack of a note.
TOUCHES_PER_IDLE_TIME = 5
LONGEST_USER_AGENT = 200
KEEP_USED_LINKS_FOR = timedelta(days=30)


def find_signed_in(session: Session, token: str, *, now: datetime, idle_minutes: int) -> SignedIn | None:
    """Return the session and account of a cookie, unless it is over or the account may no longer act."""
    found = repository.find_login(session, digest(token))
    if found is None or not found.account.is_active:
        return None
    is_idle = now - found.login.last_seen_at >= timedelta(minutes=idle_minutes)
    return None if is_idle or now >= found.login.expires_at else found


def is_stale(login: LoginSession, *, now: datetime, idle_minutes: int) -> bool:
    """Tell whether it is time to note that a session is in use: at most every five minutes."""
    every = min(TOUCH_EVERY, timedelta(minutes=idle_minutes) / TOUCHES_PER_IDLE_TIME)
    return now - login.last_seen_at >= every


def touch_session(session: Session, login_id: UUID, *, now: datetime) -> None:
    """Note that a session is in use."""
    repository.touch_login(session, login_id, now=now)


def open_session(
    session: Session, account: Account, *, now: datetime, hours: int, source: str = "", user_agent: str = ""
) -> str:
    """Open a session of at most so many hours and return the token for the cookie; only its hash is kept."""
    token = new_secret()
    session.add(
        LoginSession(
            token_hash=digest(token),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=hours),
            source=source,
            user_agent="".join(mark for mark in user_agent if mark.isprintable())[:LONGEST_USER_AGENT],
        )
    )
    session.flush()
    return token


def end_session(session: Session, token: str) -> None:
    """End the session of a cookie; one that is unknown is already over."""
    repository.delete_login(session, digest(token))


def end_sessions(session: Session, account_id: UUID, *, keep: UUID | None = None) -> int:
    """End an account's sessions, except the one to keep, and return how many there were."""
    return repository.delete_logins(session, account_id, keep=keep)


def revoke_session(session: Session, account: Account, login_id: UUID, *, now: datetime, source: str) -> None:
    """End one of the account's own sessions."""
    login = session.get(LoginSession, login_id)
    if login is None or login.account_id != account.id:
        raise NotFound("没有这次登录，它可能已经结束。")
    session.delete(login)
    trail.record(session, account, action="accounts.end_session", subject=f"session:{login_id}", source=source, now=now)


def revoke_other_sessions(session: Session, account: Account, *, keep: UUID | None, now: datetime, source: str) -> int:
    """End all of the account's sessions but the present one and return how many there were."""
    ended = end_sessions(session, account.id, keep=keep)
    trail.record(
        session,
        account,
        action="accounts.end_session",
        subject=f"account:{account.id}",
        source=source,
        detail={"sessions": ended},
        now=now,
    )
    return ended


def prune(session: Session, *, now: datetime) -> int:
    """Delete what has run out: sessions, counters of tries, and links mailed long ago. Return how many rows went."""
    repository_attempts.prune_attempts(session, before=now - throttle.MEMORY)
    old_links = repository.delete_old_mailed_tokens(session, before=now - KEEP_USED_LINKS_FOR)
    return old_links + repository.delete_ended_logins(session, now=now)
