"""Signing in: a try is counted, the password looked at with no transaction open, and then a session begins or not."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from backend.accounts import repository, service, throttle, trail
from backend.accounts.addresses import address_key, masked_address
from backend.accounts.passwords import PasswordCheck
from backend.accounts.tables import Account
from backend.accounts.throttle import Admission

DEVICE_ID_BYTES = 16


@dataclass(frozen=True)
class Visitor:
    """Where a try comes from: network address, browser, known device (or "") and the session it had so far (or "")."""

    source: str
    user_agent: str = ""
    device: str = ""
    session_token: str = ""


@dataclass(frozen=True)
class Try:
    """One try to sign in that may go on, and the hash its password is checked against, if there is an account."""

    address: str
    visitor: Visitor
    admission: Admission
    known_hash: str | None

    @property
    def counters(self) -> throttle.Counters:
        """Return what this try counts against."""
        return _counters(self.address, self.visitor)


class Verdict(StrEnum):
    """How a try ended."""

    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    UNCONFIRMED = "unconfirmed"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Outcome:
    """How a try ended and, where a session began, the token of its cookie."""

    verdict: Verdict
    token: str = ""
    account: Account | None = None


def begin(session: Session, address: str, visitor: Visitor, *, now: datetime) -> Try:
    """Count a try to sign in, whether the address is known or not, and look its account up."""
    account = repository.find_account(session, address_key(address))
    admission = throttle.admit(session, _counters(address, visitor), now=now)
    if admission.until is not None:
        _record(session, account, address, visitor, why="尝试次数太多", now=now)
    return Try(address, visitor, admission, account.password_hash if account else None)


def finish(session: Session, attempt: Try, check: PasswordCheck, *, hours: int, now: datetime) -> Outcome:
    """Open a new session if the password was right and the account may act; write to the trail either way."""
    account = repository.find_account(session, address_key(attempt.address))
    if account is None or not check.is_right or account.password_hash != attempt.known_hash:
        _record(session, account, attempt.address, attempt.visitor, why="邮箱或密码不对", now=now)
        return Outcome(Verdict.WRONG)
    throttle.forgive(session, attempt.counters, attempt.admission)
    account.password_hash = check.better_hash or account.password_hash
    refusal = _refusal(account)
    if refusal is not None:
        _record(session, account, attempt.address, attempt.visitor, why=_REFUSALS[refusal], now=now)
        return Outcome(refusal, account=account)
    return Outcome(Verdict.SIGNED_IN, start_session(session, account, attempt.visitor, hours=hours, now=now), account)


def start_session(session: Session, account: Account, visitor: Visitor, *, hours: int, now: datetime) -> str:
    """Open a session in place of the one the browser had, so that nobody can foist a session on anybody."""
    if visitor.session_token:
        service.end_session(session, visitor.session_token)
    token = service.open_session(
        session, account, now=now, hours=hours, source=visitor.source, user_agent=visitor.user_agent
    )
    trail.record(
        session, account, action="accounts.login", subject=f"account:{account.id}", source=visitor.source, now=now
    )
    return token


def sign_out(session: Session, account: Account, token: str, *, now: datetime, source: str) -> None:
    """End the session of this browser."""
    service.end_session(session, token)
    trail.record(session, account, action="accounts.logout", subject=f"account:{account.id}", source=source, now=now)


def make_device(key: str, address: str) -> str:
    """Return the value of the cookie that lets a browser be known again as one that signed in to this account."""
    nonce = secrets.token_urlsafe(DEVICE_ID_BYTES)
    return f"{nonce}.{_sign_device(key, address, nonce)}"


def find_device(key: str, address: str, cookie: str) -> str:
    """Return the id of a browser that signed in to this account before, or "" for any other."""
    nonce, _, signature = cookie.partition(".")
    is_ours = hmac.compare_digest(_sign_device(key, address, nonce).encode(), signature.encode("utf-8", "replace"))
    return nonce if nonce and is_ours else ""


def _sign_device(key: str, address: str, nonce: str) -> str:
    text = f"device:{nonce}:{address_key(address)}"
    return hmac.new(key.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _counters(address: str, visitor: Visitor) -> throttle.Counters:
    return throttle.login_counters(address_key(address), visitor.source, device=visitor.device)


_REFUSALS = {Verdict.UNCONFIRMED: "邮箱没有确认", Verdict.SUSPENDED: "账号已停用"}


def _refusal(account: Account) -> Verdict | None:
    if account.suspended_at is not None:
        return Verdict.SUSPENDED
    return Verdict.UNCONFIRMED if account.confirmed_at is None else None


def _record(
    session: Session, account: Account | None, address: str, visitor: Visitor, *, why: str, now: datetime
) -> None:
    """Note a try that did not succeed. Whoever tried is not known to be the account's owner, so is not named."""
    trail.record(
        session,
        trail.NOBODY,
        action="accounts.login",
        subject=f"account:{account.id}" if account else "",
        result="refused",
        source=visitor.source,
        detail={"why": why, "address": masked_address(address)},
        now=now,
    )
