"""The queries of saved searches."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.accounts.tables import Account
from backend.matching.tables import SavedSearch

LIMIT = 100


def lock_account(session: Session, account_id: UUID) -> None:
    """Let nobody else save for an account until this transaction ends, so that counting and adding are one."""
    session.exec(select(Account.id).where(Account.id == account_id).with_for_update()).first()


def find_by_fingerprint(session: Session, account_id: UUID, fingerprint: str) -> SavedSearch | None:
    """Return an account's saved search that asks this."""
    query = select(SavedSearch).where(SavedSearch.account_id == account_id, SavedSearch.fingerprint == fingerprint)
    return session.exec(query).first()


def count_saved(session: Session, account_id: UUID) -> int:
    """Return how many searches an account has saved."""
    return session.exec(select(sa.func.count()).where(col(SavedSearch.account_id) == account_id)).one()


def lock_saved(session: Session, search_id: UUID) -> SavedSearch | None:
    """Return a saved search, locked."""
    return session.exec(select(SavedSearch).where(SavedSearch.id == search_id).with_for_update()).first()


def load_saved(session: Session, search_ids: Sequence[UUID]) -> Sequence[SavedSearch]:
    """Return these saved searches, in order of id; one that was deleted is left out."""
    return session.exec(
        select(SavedSearch).where(col(SavedSearch.id).in_(search_ids)).order_by(col(SavedSearch.id))
    ).all()


def find_own(session: Session, account_id: UUID) -> Sequence[SavedSearch]:
    """Return an account's saved searches, the latest first."""
    latest = col(SavedSearch.created_at).desc(), col(SavedSearch.id)
    query = select(SavedSearch).where(SavedSearch.account_id == account_id)
    return session.exec(query.order_by(*latest).limit(LIMIT)).all()


def find_in_digest(session: Session, account_id: UUID) -> Sequence[SavedSearch]:
    """Return an account's saved searches that its digest tells of: those that wait longest for their turn first."""
    waits = col(SavedSearch.told_at).is_not(None), col(SavedSearch.told_at), col(SavedSearch.created_at)
    query = select(SavedSearch).where(SavedSearch.account_id == account_id, col(SavedSearch.in_digest))
    return session.exec(query.order_by(*waits, col(SavedSearch.id)).limit(LIMIT)).all()
