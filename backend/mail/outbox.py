"""The outbox: a mail is posted in the transaction of the change it tells of, and leaves when a worker takes it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from backend.errors import Conflict, NotFound
from backend.jobs.registry import enqueue
from backend.mail import repository
from backend.mail.messages import Message
from backend.mail.tables import DeliveryState, OutboxMessage

DELIVER = "mail.deliver"


def post(session: Session, message: Message, *, key: str, now: datetime) -> OutboxMessage:
    """Put a mail into the outbox and queue its delivery; a key that is there already changes nothing."""
    known = repository.find_by_key(session, key)
    if known is not None:
        return known
    posted = OutboxMessage(
        key=key,
        message_id=make_message_id(key),
        category=message.category,
        recipient=message.recipient,
        recipient_name=message.recipient_name,
        subject=message.subject,
        body_text=message.text,
        body_html=message.html,
        headers=dict(message.headers),
        posted_at=now,
        queued_at=now,
    )
    try:
        with session.begin_nested():
            session.add(posted)
    except IntegrityError:
        # Another transaction posted this key between our look and our insert.
        return repository.get_by_key(session, key)
    enqueue(session, DELIVER, key=f"mail:{key}", outbox_id=posted.id)
    return posted


def make_message_id(key: str) -> str:
    """Return the left part of the Message-ID of a key, so that a mail sent again is known as the same mail."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def queue_again(session: Session, message: OutboxMessage, *, now: datetime) -> None:
    """Let a waiting mail be delivered now; doing it twice within a minute queues it once."""
    message.state = DeliveryState.PENDING
    message.queued_at = now
    message.next_try_at = None
    message.claimed_until = None
    session.add(message)
    session.flush()
    enqueue(session, DELIVER, key=f"mail:{message.key}:{now:%Y%m%d%H%M}", outbox_id=message.id)


def retry_now(session: Session, outbox_id: UUID, *, now: datetime) -> OutboxMessage:
    """Try a deferred mail again at an administrator's word."""
    message = repository.lock_message(session, outbox_id)
    if message is None:
        raise NotFound("没有这封邮件。")
    if message.state is not DeliveryState.DEFERRED:
        raise Conflict(f"这封邮件现在的状态是“{message.state.label}”，只有稍后重试的邮件可以立即重试。")
    queue_again(session, message, now=now)
    return message


def suppress(session: Session, *, recipient: str, category: str, reason: str, now: datetime) -> Sequence[OutboxMessage]:
    """Keep every waiting mail of one category from one address, such as the digest of somebody who unsubscribed.

    One that may have arrived stays unknown, but is not sent again.
    """
    waiting = repository.lock_waiting(session, recipient=recipient, category=category)
    for message in waiting:
        if message.state is not DeliveryState.UNKNOWN:
            message.state = DeliveryState.SUPPRESSED
            message.reply = reason
        message.settled_at = now
        message.next_try_at = None
        session.add(message)
    session.flush()
    return waiting
