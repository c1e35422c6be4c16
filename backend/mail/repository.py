"""Every query of the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.mail.tables import DeliveryState, MailPause, MailRoute, OutboxMessage

NEWEST = col(OutboxMessage.posted_at).desc(), col(OutboxMessage.id)
NOT_PAUSED = col(OutboxMessage.category).not_in(select(MailPause.category))


def find_by_key(session: Session, key: str) -> OutboxMessage | None:
    """Return the mail of this key, if it was posted."""
    return session.exec(select(OutboxMessage).where(OutboxMessage.key == key)).one_or_none()


def get_by_key(session: Session, key: str) -> OutboxMessage:
    """Return the mail of this key; raise NoResultFound when there is none."""
    return session.exec(select(OutboxMessage).where(OutboxMessage.key == key)).one()


def lock_message(session: Session, outbox_id: UUID) -> OutboxMessage | None:
    """Return a mail that nobody else can change until this transaction ends."""
    query = select(OutboxMessage).where(OutboxMessage.id == outbox_id)
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def lock_waiting(session: Session, *, recipient: str, category: str) -> Sequence[OutboxMessage]:
    """Return the mails of one category that may still leave for an address, locked."""
    waits = col(OutboxMessage.state).in_((DeliveryState.PENDING, DeliveryState.DEFERRED))
    may_repeat = sa.and_(col(OutboxMessage.state) == DeliveryState.UNKNOWN, col(OutboxMessage.next_try_at).is_not(None))
    query = select(OutboxMessage).where(
        OutboxMessage.recipient == recipient, OutboxMessage.category == category, sa.or_(waits, may_repeat)
    )
    return session.exec(query.order_by(*NEWEST).with_for_update()).all()


def list_messages(
    session: Session, *, state: DeliveryState | None = None, limit: int, offset: int = 0
) -> Sequence[OutboxMessage]:
    """Return the newest mails, of one state if one is named, at most `limit`."""
    query = select(OutboxMessage).order_by(*NEWEST).limit(limit).offset(offset)
    if state is not None:
        query = query.where(OutboxMessage.state == state)
    return session.exec(query).all()


def count_by_state(session: Session) -> Mapping[DeliveryState, int]:
    """Return how many mails are in each state; states without mail count 0."""
    query = select(OutboxMessage.state, sa.func.count()).group_by(col(OutboxMessage.state))
    counted = dict(session.exec(query).all())
    return {state: counted.get(state, 0) for state in DeliveryState}


def lock_abandoned(session: Session, *, now: datetime, limit: int) -> Sequence[OutboxMessage]:
    """Return claimed and handed mails whose lease is over, oldest first, locked; those being settled are left."""
    query = select(OutboxMessage).where(
        col(OutboxMessage.state).in_((DeliveryState.CLAIMED, DeliveryState.HANDED)),
        col(OutboxMessage.claimed_until) <= now,
    )
    oldest = col(OutboxMessage.claimed_until), col(OutboxMessage.id)
    return session.exec(query.order_by(*oldest).limit(limit).with_for_update(skip_locked=True)).all()


def lock_due(session: Session, *, now: datetime, limit: int) -> Sequence[OutboxMessage]:
    """Return mails whose next try is due: deferred ones, and unknown ones that may repeat; oldest first, locked."""
    query = select(OutboxMessage).where(
        col(OutboxMessage.state).in_((DeliveryState.DEFERRED, DeliveryState.UNKNOWN)),
        col(OutboxMessage.next_try_at) <= now,
        NOT_PAUSED,
    )
    oldest = col(OutboxMessage.next_try_at), col(OutboxMessage.id)
    return session.exec(query.order_by(*oldest).limit(limit).with_for_update(skip_locked=True)).all()


def lock_forgotten(session: Session, *, queued_before: datetime, limit: int) -> Sequence[OutboxMessage]:
    """Return mails that have been pending since before a time, oldest first, locked."""
    query = select(OutboxMessage).where(
        OutboxMessage.state == DeliveryState.PENDING, col(OutboxMessage.queued_at) < queued_before, NOT_PAUSED
    )
    oldest = col(OutboxMessage.queued_at), col(OutboxMessage.id)
    return session.exec(query.order_by(*oldest).limit(limit).with_for_update(skip_locked=True)).all()


def last_tried_at(session: Session) -> datetime | None:
    """Return when a mail was last claimed."""
    query = select(OutboxMessage.tried_at).where(col(OutboxMessage.tried_at).is_not(None))
    return session.exec(query.order_by(col(OutboxMessage.tried_at).desc()).limit(1)).first()


def lock_routes(session: Session, names: Sequence[str]) -> Sequence[MailRoute]:
    """Return the named routes that exist, by name, locked."""
    query = select(MailRoute).where(col(MailRoute.name).in_(names)).order_by(col(MailRoute.name))
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).all()


def add_route(session: Session, name: str, *, free_at: datetime) -> MailRoute:
    """Begin a route, or return the one that another transaction began at this moment."""
    try:
        with session.begin_nested():
            session.add(MailRoute(name=name, free_at=free_at))
    except IntegrityError:
        session.expire_all()
    route = lock_routes(session, [name])[0]
    route.free_at = max(route.free_at, free_at)
    return route


def find_paused(session: Session) -> Mapping[str, MailPause]:
    """Return the categories of mail that are paused now."""
    return {row.category: row for row in session.exec(select(MailPause).order_by(col(MailPause.category)))}


def find_pending_ids(session: Session, *, category: str, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Return the ids of mails of one category that wait to be sent, in order of id, behind one if it is named."""
    query = select(OutboxMessage.id).where(
        OutboxMessage.category == category, OutboxMessage.state == DeliveryState.PENDING
    )
    if after is not None:
        query = query.where(col(OutboxMessage.id) > after)
    return session.exec(query.order_by(col(OutboxMessage.id)).limit(limit)).all()
