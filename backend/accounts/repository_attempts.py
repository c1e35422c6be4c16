"""Queries of the counters that limit trying."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from backend.accounts.tables import FailedAttempt

# No limit looks at more failures of one key; a lock that could hold more is long since closed.
MOST_FAILURES = 500


def hold_keys(session: Session, keys: Sequence[str]) -> None:
    """Keep other transactions from counting against these keys until this one ends.

    SQLite lets only one transaction write at a time; PostgreSQL is asked for a lock of each key, in the given order.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for key in keys:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


def find_times(session: Session, key: str, *, since: datetime) -> Sequence[datetime]:
    """Return when a key failed since a time, oldest first."""
    newest = (
        select(FailedAttempt.failed_at)
        .where(FailedAttempt.key == key, col(FailedAttempt.failed_at) > since)
        .order_by(col(FailedAttempt.failed_at).desc(), col(FailedAttempt.id).desc())
        .limit(MOST_FAILURES)
    )
    return session.exec(newest).all()[::-1]


def add_attempts(session: Session, keys: Sequence[str], *, now: datetime) -> tuple[int, ...]:
    """Count one try against each key and return the ids of what was written."""
    attempts = [FailedAttempt(key=key, failed_at=now) for key in keys]
    session.add_all(attempts)
    session.flush()
    return tuple(attempt.id for attempt in attempts if attempt.id is not None)


def delete_attempts(session: Session, ids: Sequence[int], *, key: str) -> None:
    """Delete these tries, and all that were counted against one key."""
    session.execute(sa.delete(FailedAttempt).where(or_(col(FailedAttempt.id).in_(ids), col(FailedAttempt.key) == key)))


def prune_attempts(session: Session, *, before: datetime) -> None:
    """Delete what no limit looks at any more."""
    session.execute(sa.delete(FailedAttempt).where(col(FailedAttempt.failed_at) < before))
