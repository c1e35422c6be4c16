"""Queries of the audit trail. There is none that changes or deletes an entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from backend.accounts.repository import contains
from backend.accounts.tables import Account, TrailEntry


@dataclass(frozen=True)
class TrailQuery:
    """What to look for in the trail; empty means anything."""

    who: str = ""
    action: str = ""
    result: str = ""
    since: datetime | None = None
    before: datetime | None = None
    subject: str = ""
    actor_id: UUID | None = None


def find_entries(session: Session, query: TrailQuery, *, limit: int, offset: int = 0) -> Sequence[TrailEntry]:
    """Return entries that fit, newest first."""
    newest = col(TrailEntry.id).desc()
    return session.exec(
        select(TrailEntry).where(*_conditions(query)).order_by(newest).limit(limit).offset(offset)
    ).all()


def count_entries(session: Session, query: TrailQuery) -> int:
    """Return how many entries fit."""
    return session.exec(select(sa.func.count()).select_from(TrailEntry).where(*_conditions(query))).one()


def _conditions(query: TrailQuery) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if query.who:
        known = select(Account.id).where(contains(Account.email_key, query.who))
        wanted.append(or_(contains(TrailEntry.actor_name, query.who), col(TrailEntry.actor_id).in_(known)))
    for column, value in ((TrailEntry.action, query.action), (TrailEntry.result, query.result)):
        if value:
            wanted.append(col(column) == value)
    if query.subject:
        wanted.append(col(TrailEntry.subject) == query.subject)
    if query.actor_id is not None:
        wanted.append(col(TrailEntry.actor_id) == query.actor_id)
    if query.since is not None:
        wanted.append(col(TrailEntry.at) >= query.since)
    if query.before is not None:
        wanted.append(col(TrailEntry.at) < query.before)
    return wanted
