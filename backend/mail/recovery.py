"""What a minute's look at the outbox sets going again: due mails, mails of dead workers, mails whose job was lost."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.mail import delivery, outbox, repository
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.platform import Platform

log = structlog.get_logger()
PER_LOOK = 500
# A pending mail has a job that waits its turn. Only when nothing has been tried for this long is the job taken as lost.
QUIET = timedelta(minutes=15)


def resume(platform: Platform) -> int:
    """Queue every mail whose turn has come and return how many."""
    now = platform.clock()
    with platform.transaction() as session:
        for message in repository.lock_abandoned(session, now=now, limit=PER_LOOK):
            _release(session, message, now)
    with platform.transaction() as session:
        due = repository.lock_due(session, now=now, limit=PER_LOOK)
        for message in due:
            _try_again(session, message, now)
    with platform.transaction() as session:
        lost = _find_lost(session, now)
        for message in lost:
            outbox.queue_again(session, message, now=now)
    if due or lost:
        log.info("mail.resumed", due=len(due), lost=len(lost))
    return len(due) + len(lost)


def _release(session: Session, message: OutboxMessage, now: datetime) -> None:
    """Take a mail back from a delivery that is gone: unsent if it was only claimed, in doubt if it was handed over."""
    log.warning("mail.abandoned", outbox_id=str(message.id), state=message.state, attempt=message.attempts)
    if message.state is DeliveryState.HANDED:
        message.reply = "发送过程中断，没有等到对方的答复。"
        delivery.doubt(message, now)
    else:
        message.reply = "发送过程中断，邮件还没有发出。"
        delivery.defer(message, now, until=now + delivery.back_off(message))
    session.add(message)


def _try_again(session: Session, message: OutboxMessage, now: datetime) -> None:
    if message.state is DeliveryState.UNKNOWN:
        # Counted before the mail can leave: a crash after this line costs the repeat, never a third copy.
        message.repeats += 1
    outbox.queue_again(session, message, now=now)


def _find_lost(session: Session, now: datetime) -> list[OutboxMessage]:
    last = repository.last_tried_at(session)
    if last is not None and last > now - QUIET:
        return []
    return list(repository.lock_forgotten(session, queued_before=now - QUIET, limit=PER_LOOK))


def release(platform: Platform, category: str) -> int:
    """Queue the mails of a category that was paused until now and return how many."""
    now, released = platform.clock(), 0
    last: UUID | None = None
    while True:
        with platform.transaction() as session:
            ids = repository.find_pending_ids(session, category=category, after=last, limit=PER_LOOK)
            for outbox_id in ids:
                message = repository.lock_message(session, outbox_id)
                if message is not None and message.state is DeliveryState.PENDING:
                    outbox.queue_again(session, message, now=now)
                    released += 1
        if len(ids) < PER_LOOK:
            log.info("mail.released", category=category, count=released)
            return released
        last = ids[-1]
