"""Every query of digests."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from backend.digests.tables import Digest, DigestEdition, DigestItem, DigestSubscription
from backend.mail.tables import OutboxMessage


def add_if_new(session: Session, row: SQLModel) -> bool:
    """Add a row unless one with the same key exists, also when that one is added at the same moment."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def find_edition(session: Session, week: str) -> DigestEdition | None:
    """Return the edition of a week, if it was opened."""
    return session.get(DigestEdition, week)


def find_subscription(session: Session, account_id: UUID) -> DigestSubscription | None:
    """Return how often an account wants its digest, if that was ever settled."""
    return session.get(DigestSubscription, account_id)


def lock_subscription(session: Session, *, token: str) -> DigestSubscription | None:
    """Return the subscription of a token, locked."""
    return session.exec(select(DigestSubscription).where(DigestSubscription.token == token).with_for_update()).first()


def find_digest(session: Session, account_id: UUID, week: str) -> Digest | None:
    """Return an account's digest of a week, if it was composed."""
    return session.exec(select(Digest).where(Digest.account_id == account_id, Digest.week == week)).first()


def find_digests(session: Session, account_id: UUID, *, limit: int, offset: int = 0) -> Sequence[Digest]:
    """Return an account's digests, the latest week first."""
    latest = col(Digest.week).desc(), col(Digest.id)
    query = select(Digest).where(Digest.account_id == account_id).order_by(*latest)
    return session.exec(query.offset(offset).limit(limit)).all()


def count_digests(session: Session, account_id: UUID) -> int:
    """Return how many digests an account has, those that said nothing included."""
    return session.exec(select(sa.func.count()).where(col(Digest.account_id) == account_id)).one()


def find_shown(session: Session, account_id: UUID) -> frozenset[tuple[UUID, UUID, str]]:
    """Return what an account was ever shown in a digest: supply, demand, fingerprint."""
    query = select(DigestItem).where(DigestItem.account_id == account_id)
    return frozenset((item.supply_id, item.demand_id, item.fingerprint) for item in session.exec(query))


def count_items(session: Session, digest_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Return how many pairs each of these digests showed."""
    query = select(DigestItem.digest_id, sa.func.count()).where(col(DigestItem.digest_id).in_(digest_ids))
    return dict(session.exec(query.group_by(col(DigestItem.digest_id))).all())


def count_by_outcome(session: Session, week: str) -> Mapping[str, int]:
    """Return how many digests of a week were posted (""), and how many left out for each reason."""
    query = select(Digest.skip_reason, sa.func.count()).where(Digest.week == week).group_by(col(Digest.skip_reason))
    return {str(reason or ""): count for reason, count in session.exec(query)}


def find_mails(session: Session, keys: Sequence[str]) -> Mapping[str, OutboxMessage]:
    """Return the mails of these keys, without what they say."""
    heavy = (sa.orm.defer(getattr(OutboxMessage, name)) for name in ("body_text", "body_html"))
    query = select(OutboxMessage).where(col(OutboxMessage.key).in_(keys)).options(*heavy)
    return {message.key: message for message in session.exec(query)}
