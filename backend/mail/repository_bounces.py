"""Every query of bounces and of the ledger of addresses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.mail.tables import AddressRecord, Bounce, BounceKind, OutboxMessage


def lock_address(session: Session, address: str) -> AddressRecord:
    """Return the record of an address, begun if there is none, which nobody else changes until this ends."""
    query = select(AddressRecord).where(AddressRecord.address == address).with_for_update()
    record = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if record is not None:
        return record
    try:
        with session.begin_nested():
            session.add(AddressRecord(address=address))
    except IntegrityError:
        # Another transaction began the record between our look and our insert.
        session.expire_all()
    return session.exec(query.execution_options(populate_existing=True)).one()


def find_bounce(session: Session, outbox_id: UUID) -> Bounce | None:
    """Return the bounce of a mail, if it came back."""
    return session.exec(select(Bounce).where(Bounce.outbox_id == outbox_id)).one_or_none()


def find_bounce_kinds(session: Session, address: str, *, since: datetime) -> list[BounceKind]:
    """Return the kinds of an address's bounces after a time."""
    query = select(Bounce.kind).where(Bounce.address == address, col(Bounce.bounced_at) > since)
    return [BounceKind(kind) for kind in session.exec(query)]


def list_bounces(session: Session, *, limit: int, offset: int = 0) -> Sequence[tuple[Bounce, OutboxMessage]]:
    """Return the newest bounces, each with its mail, without what the mail says."""
    heavy = (sa.orm.defer(getattr(OutboxMessage, name)) for name in ("body_text", "body_html"))
    query = select(Bounce, OutboxMessage).join(OutboxMessage, col(OutboxMessage.id) == Bounce.outbox_id)
    newest = col(Bounce.bounced_at).desc(), col(Bounce.id)
    return session.exec(query.options(*heavy).order_by(*newest).offset(offset).limit(limit)).all()


def count_bounces(session: Session) -> int:
    """Return how many mails came back."""
    return session.exec(select(sa.func.count()).select_from(Bounce)).one()


def list_suppressed(session: Session, *, limit: int, offset: int = 0) -> Sequence[AddressRecord]:
    """Return the addresses that get no more mail, the latest first."""
    query = select(AddressRecord).where(col(AddressRecord.suppressed_at).is_not(None))
    latest = col(AddressRecord.suppressed_at).desc(), col(AddressRecord.address)
    return session.exec(query.order_by(*latest).offset(offset).limit(limit)).all()


def count_suppressed(session: Session) -> int:
    """Return how many addresses get no more mail."""
    is_suppressed = col(AddressRecord.suppressed_at).is_not(None)
    return session.exec(select(sa.func.count()).select_from(AddressRecord).where(is_suppressed)).one()
