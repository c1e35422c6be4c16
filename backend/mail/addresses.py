"""The ledger of addresses: bounces count for the address, never for the account.

A new confirmation clears it. An address gets no more digests after 3 hard bounces or 6 of either kind within 30 days,
or one complaint. Each mail counts once, however many notices tell of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.mail import repository_bounces as repository
from backend.mail.tables import AddressRecord, Bounce, BounceKind, OutboxMessage

WINDOW = timedelta(days=30)
MOST_HARD = 3
MOST_BOUNCES = 6
SEVERITY = {BounceKind.SOFT: 0, BounceKind.HARD: 1, BounceKind.COMPLAINT: 2}
LONGEST_STATUS, LONGEST_TEXT = 12, 500


def ledger_key(address: str) -> str:
    """Return what is equal for two spellings of one address."""
    return address.strip().lower()


def is_suppressed(session: Session, address: str) -> bool:
    """Tell whether an address gets no more mail but what its owner asks for."""
    record = session.get(AddressRecord, ledger_key(address))
    return record is not None and record.suppressed_at is not None


def record_bounce(
    session: Session, message: OutboxMessage, kind: BounceKind, *, status: str, text: str, now: datetime
) -> Bounce:
    """Count a mail that came back, once; a graver notice of the same mail replaces a lighter one."""
    address = ledger_key(message.recipient)
    record = repository.lock_address(session, address)
    known = repository.find_bounce(session, message.id)
    if known is not None and SEVERITY[known.kind] >= SEVERITY[kind]:
        return known
    bounce = known or Bounce(outbox_id=message.id, address=address, kind=kind, bounced_at=now)
    bounce.kind, bounce.status, bounce.text = kind, status[:LONGEST_STATUS], text[:LONGEST_TEXT]
    session.add(bounce)
    session.flush()
    _judge(session, record, now=now)
    return bounce


def find_kind(session: Session, outbox_id: UUID) -> BounceKind | None:
    """Return how a mail came back, if it did."""
    known = repository.find_bounce(session, outbox_id)
    return known.kind if known else None


def _judge(session: Session, record: AddressRecord, *, now: datetime) -> None:
    since = max(now - WINDOW, record.cleared_at) if record.cleared_at else now - WINDOW
    kinds = repository.find_bounce_kinds(session, record.address, since=since)
    reason = _reason(kinds)
    if reason and record.suppressed_at is None:
        record.suppressed_at, record.reason = now, reason
        session.add(record)
        session.flush()


def _reason(kinds: Sequence[BounceKind]) -> str:
    if BounceKind.COMPLAINT in kinds:
        return "收件人投诉为垃圾邮件"
    hard = kinds.count(BounceKind.HARD)
    if hard >= MOST_HARD:
        return f"30 天内 {hard} 次退信：地址无效"
    return f"30 天内 {len(kinds)} 次退信" if len(kinds) >= MOST_BOUNCES else ""


def forgive(session: Session, address: str, *, now: datetime) -> bool:
    """Let an address begin anew, because it was just shown to receive mail, and tell whether anything changed."""
    record = session.get(AddressRecord, ledger_key(address))
    if record is None:
        return False
    was_suppressed = record.suppressed_at is not None
    record.cleared_at, record.suppressed_at, record.reason = now, None, ""
    session.add(record)
    session.flush()
    return was_suppressed


def count_rejection(session: Session, message: OutboxMessage, *, status: str, text: str, now: datetime) -> UUID:
    """Count a mail whose recipient the other side refused at once."""
    return record_bounce(session, message, BounceKind.HARD, status=status, text=text, now=now).id
