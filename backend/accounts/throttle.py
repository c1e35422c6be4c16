"""Limits on trying: a try is counted before its password is looked at, so that guesses made side by side count too.

What is counted is kept under a digest, never under an address or a name.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from backend.accounts import repository_attempts as repository
from backend.errors import TooMany

FAILURES_BEFORE_LOCK = 5
LOCK_WINDOW = timedelta(minutes=15)
FIRST_LOCK = timedelta(minutes=15)
MEMORY = timedelta(hours=24)


@dataclass(frozen=True)
class Limit:
    """At most so many failures within a span of time."""

    most: int
    within: timedelta


LOGINS_PER_SOURCE = Limit(60, timedelta(minutes=15))
LOGINS_PER_ACCOUNT = Limit(100, timedelta(hours=24))
MAILS_PER_ADDRESS = Limit(3, timedelta(hours=1))
MAILS_PER_SOURCE = Limit(20, timedelta(hours=1))


@dataclass(frozen=True)
class Counters:
    """What one try counts against: the key that locks itself step by step, and keys with a flat limit."""

    own: str
    shared: Mapping[str, Limit] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """Return every key, in the one order in which they are locked."""
        return sorted({self.own, *self.shared})


@dataclass(frozen=True)
class Admission:
    """Whether a try may go on; if not, from when on another may."""

    until: datetime | None = None
    attempts: tuple[int, ...] = ()


def login_counters(email_key: str, source: str, *, device: str) -> Counters:
    """Return what a login counts against. A known device has a counter of its own, which no one else can fill."""
    if device:
        return Counters(digest("login-device", email_key, device))
    shared = {digest("source", source): LOGINS_PER_SOURCE, digest("account", email_key): LOGINS_PER_ACCOUNT}
    return Counters(digest("login", email_key, source), shared)


def password_counters(account_id: object) -> Counters:
    """Return what asking for the present password again counts against."""
    return Counters(digest("password", str(account_id)))


def digest(*parts: str) -> str:
    """Return the key of a counter: what is counted, then 128 bits of a digest of whom it concerns."""
    secret_parts = "\x1f".join(parts[1:]).encode("utf-8", "replace")
    return f"{parts[0]}:{hashlib.sha256(secret_parts).hexdigest()[:32]}"


def admit(session: Session, counters: Counters, *, now: datetime) -> Admission:
    """Count one try as failed and let it go on, or say until when it has to wait; who waits is not counted."""
    repository.hold_keys(session, counters.keys)
    waits = [locked_until(repository.find_times(session, counters.own, since=now - MEMORY))]
    for key, limit in counters.shared.items():
        waits.append(free_from(repository.find_times(session, key, since=now - limit.within), limit))
    until = max((wait for wait in waits if wait is not None and wait > now), default=None)
    if until is not None:
        return Admission(until=until)
    return Admission(attempts=repository.add_attempts(session, counters.keys, now=now))


def forgive(session: Session, counters: Counters, admission: Admission) -> None:
    """Take a try back that turned out right; the failures before it from the same place are forgotten as well."""
    repository.delete_attempts(session, admission.attempts, key=counters.own)


def locked_until(failures: Sequence[datetime]) -> datetime | None:
    """Return the end of the latest lock that these failures, oldest first, led to.

    Five failures within 15 minutes lock for 15 minutes, the next five for 30, then 60, and so on.
    """
    recent: list[datetime] = []
    locks = 0
    until = None
    for failed_at in failures:
        recent = [earlier for earlier in recent if failed_at - earlier < LOCK_WINDOW] + [failed_at]
        if len(recent) >= FAILURES_BEFORE_LOCK:
            until = failed_at + FIRST_LOCK * 2**locks
            locks += 1
            recent = []
    return until


def free_from(failures: Sequence[datetime], limit: Limit) -> datetime | None:
    """Return when the next try fits the limit, given the failures of its span, oldest first; None if it fits now."""
    return failures[-limit.most] + limit.within if len(failures) >= limit.most else None


def minutes_until(moment: datetime, *, now: datetime) -> int:
    """Return how many minutes are left, rounded up, as people are told."""
    return max(1, math.ceil((moment - now) / timedelta(minutes=1)))


def count_mail(session: Session, email_key: str, source: str, *, now: datetime) -> bool:
    """Count one asked-for mail; tell whether this address may get another.

    Raises: TooMany, when one source asks for too many, whichever the addresses.
    """
    by_address, by_source = digest("mail", email_key), digest("mail-source", source)
    repository.hold_keys(session, sorted([by_address, by_source]))
    asked = repository.find_times(session, by_source, since=now - MAILS_PER_SOURCE.within)
    wait = free_from(asked, MAILS_PER_SOURCE)
    if wait is not None and wait > now:
        raise TooMany(
            "从您这里要求发送的邮件太多，没有再发送。",
            retry_after_seconds=math.ceil((wait - now).total_seconds()),
            remedy=f"请过 {minutes_until(wait, now=now)} 分钟再试。",
        )
    repository.add_attempts(session, [by_source], now=now)
    sent = repository.find_times(session, by_address, since=now - MAILS_PER_ADDRESS.within)
    if free_from(sent, MAILS_PER_ADDRESS) is not None:
        return False
    repository.add_attempts(session, [by_address], now=now)
    return True
