"""The delivery of one mail: claimed in one transaction, sent in none, settled in another.

    pending → claimed → handed → accepted | deferred | rejected | unknown

`handed` is committed before the dot that ends the mail, so before the other side can have it. So a mail that is only
claimed was certainly not sent, and one that stays handed may have been: it becomes unknown, the one state from which a
mail is sent again, once, under the same Message-ID.
"""

import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.mail import addresses, last_look, pace, repository
from backend.mail.codes import Outcome, Reply, Scope, Verdict, classify
from backend.mail.signing import build_signer
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.mail.verp import return_address
from backend.mail.wire import render_bytes, sender_address
from backend.platform import Platform
from backend.settings import Settings

log = structlog.get_logger()
Sleep = Callable[[float], None]
# Longer than every step before DATA may take together, and than the answer to DATA may take.
CLAIM_LEASE = timedelta(minutes=10)
HANDED_LEASE = timedelta(minutes=15)
# From the first try: a mail that waits for a quota or a pause is not given up meanwhile, but it grows stale.
GIVE_UP_AFTER = timedelta(hours=72)
STALE_AFTER = timedelta(days=14)
STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
FIRST_RETRY_MINUTES = 2.0
LONGEST_RETRY_MINUTES = 240.0
JITTER = 0.2
REPEAT_AFTER = timedelta(minutes=5)
MOST_REPEATS = 1
LONGEST_REPLY = 500
SETTLED = frozenset({DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SUPPRESSED})


class LeaseLost(Exception):
    """This delivery took so long that another one owns the mail."""


@dataclass(frozen=True)
class Claim:
    """The right to deliver one mail, until its lease is over; `attempt` fences it."""

    message: OutboxMessage
    attempt: int
    leaves_at: datetime
    now: datetime


def deliver(platform: Platform, outbox_id: UUID, *, sleep: Sleep = time.sleep) -> None:
    """Send one pending mail and keep what became of it; a mail in any other state is left alone."""
    claim = _claim(platform, outbox_id)
    if claim is None:
        return
    rendered = render(claim.message, platform.settings)
    if claim.leaves_at > claim.now:
        sleep((claim.leaves_at - claim.now).total_seconds())
    sender = return_address(claim.message.id, platform.settings)
    try:
        reply = platform.mailer.send(
            rendered, sender, claim.message.recipient, lambda: _hand_over(platform, outbox_id, claim.attempt)
        )
    except LeaseLost:
        log.warning("mail.lease_lost", outbox_id=str(outbox_id), attempt=claim.attempt)
        return
    _settle(platform, outbox_id, claim.attempt, reply)


def render(message: OutboxMessage, settings: Settings) -> bytes:
    """Return the bytes of a mail, signed if there is a key."""
    rendered = render_bytes(message, mail_from=settings.mail_from)
    signer = build_signer(settings)
    return signer.sign(rendered) if signer else rendered


def _claim(platform: Platform, outbox_id: UUID) -> Claim | None:
    now = platform.clock()
    settings = platform.settings
    with platform.transaction() as session:
        message = repository.lock_message(session, outbox_id)
        if message is None or message.state is not DeliveryState.PENDING:
            return None
        if message.category in repository.find_paused(session):
            # It stays pending, whole and in order; letting the category go on queues it again.
            return None
        kept = last_look.reason_to_keep(session, message, settings, now)
        if kept:
            keep(message, kept, now)
            return None
        slot = pace.reserve(session, message.recipient, pace=pace.pace_of(settings), category=message.category, now=now)
        if slot - now > pace.LONGEST_WAIT:
            defer(message, now, until=slot)
            return None
        message.state = DeliveryState.CLAIMED
        message.attempts += 1
        message.tried_at = now
        message.first_tried_at = message.first_tried_at or now
        message.claimed_until = slot + CLAIM_LEASE
        if "@" not in message.message_id:
            message.message_id += "@" + sender_address(settings.mail_from).rpartition("@")[2]
        return Claim(message, message.attempts, slot, now)


def _hand_over(platform: Platform, outbox_id: UUID, attempt: int) -> None:
    """Commit that from now on the other side may have the mail, after one more look at whether it still may go.

    Raises: LeaseLost, when it may not: nothing is sent then.
    """
    now = platform.clock()
    with platform.transaction() as session:
        message = repository.lock_message(session, outbox_id)
        is_ours = message is not None and message.state is DeliveryState.CLAIMED and message.attempts == attempt
        goes = message is not None and is_ours and _still_goes(session, message, platform.settings, now)
        if message is not None and goes:
            message.state = DeliveryState.HANDED
            message.handed_at = now
            message.claimed_until = now + HANDED_LEASE
    if not goes:
        raise LeaseLost


def _still_goes(session: Session, message: OutboxMessage, settings: Settings, now: datetime) -> bool:
    """Tell whether a claimed mail may leave as it was rendered; otherwise keep it, or let it be rendered anew."""
    written = message.body_text
    kept = last_look.reason_to_keep(session, message, settings, now)
    if kept:
        keep(message, kept, now)
    elif message.body_text != written:
        defer(message, now, until=now)
    return not kept and message.body_text == written


def _settle(platform: Platform, outbox_id: UUID, attempt: int, reply: Reply) -> None:
    now = platform.clock()
    with platform.transaction() as session:
        message = repository.lock_message(session, outbox_id)
        # A late answer still counts while nobody tries again: it may turn an unknown mail into an accepted one.
        if message is None or message.attempts != attempt or message.state in SETTLED:
            log.warning("mail.late_reply", outbox_id=str(outbox_id), attempt=attempt, code=reply.code)
            return
        verdict = classify(reply)
        message.reply = str(reply)[:LONGEST_REPLY]
        message.claimed_until = None
        _apply(session, message, verdict, now)
        log.info("mail.settled", outbox_id=str(outbox_id), state=message.state, code=reply.code, attempt=attempt)


def _apply(session: Session, message: OutboxMessage, verdict: Verdict, now: datetime) -> None:
    match verdict.outcome:
        case Outcome.ACCEPTED:
            settle_as(message, DeliveryState.ACCEPTED, now)
        case Outcome.PERMANENT:
            settle_as(message, DeliveryState.REJECTED, now)
            if verdict.scope is Scope.PERSON:
                addresses.count_rejection(session, message, status=_status(message.reply), text=message.reply, now=now)
        case Outcome.UNKNOWN:
            doubt(message, now)
        case Outcome.TEMPORARY:
            wait = timedelta(seconds=verdict.wait_seconds or 0)
            defer(message, now, until=now + max(back_off(message), wait))
            _slow_down(session, message, verdict, now)


def _slow_down(session: Session, message: OutboxMessage, verdict: Verdict, now: datetime) -> None:
    """Spare the way that complained; the person is never blamed for it."""
    if verdict.wait_seconds is None:
        return
    route = {Scope.RELAY: pace.RELAY, Scope.DOMAIN: pace.domain_of(message.recipient)}.get(verdict.scope)
    if route:
        pace.hold(session, route, until=now + timedelta(seconds=verdict.wait_seconds))


def settle_as(message: OutboxMessage, state: DeliveryState, now: datetime) -> None:
    """Give a mail its last state."""
    message.state = state
    message.settled_at = now
    message.next_try_at = None
    message.claimed_until = None


def keep(message: OutboxMessage, reason: str, now: datetime) -> None:
    """Keep a mail here for good; one that may have arrived stays unknown, but is not sent again."""
    if message.repeats:
        settle_as(message, DeliveryState.UNKNOWN, now)
        return
    settle_as(message, DeliveryState.SUPPRESSED, now)
    message.reply = reason[:LONGEST_REPLY]


def _status(reply: str) -> str:
    """Return the enhanced status code in a reply, if it has one (RFC 3463)."""
    found = STATUS.search(reply)
    return found[0] if found else ""


def doubt(message: OutboxMessage, now: datetime) -> None:
    """Note that nobody knows whether a mail arrived: it may be sent once more, or never again."""
    settle_as(message, DeliveryState.UNKNOWN, now)
    if message.repeats < MOST_REPEATS:
        message.settled_at = None
        message.next_try_at = now + REPEAT_AFTER


def defer(message: OutboxMessage, now: datetime, *, until: datetime) -> None:
    """Let a mail wait for its next try, or give up when it has been tried for 72 hours."""
    last_chance = message.first_tried_at + GIVE_UP_AFTER if message.first_tried_at else message.posted_at + STALE_AFTER
    if now >= last_chance:
        span = "72 小时" if message.first_tried_at else f"{STALE_AFTER.days} 天"
        message.reply = f"{span}内没有送达；最后的答复：{message.reply or '无'}"[:LONGEST_REPLY]
        settle_as(message, DeliveryState.REJECTED, now)
        return
    message.state = DeliveryState.DEFERRED
    message.next_try_at = min(until, last_chance)
    message.claimed_until = None


def back_off(message: OutboxMessage) -> timedelta:
    """Return how long a mail rests after this attempt: 2, 4, 8 … 240 minutes, each up to a fifth more or less.

    The scatter is drawn from the mail and the attempt, so that mails that failed together do not return together.
    """
    minutes = min(FIRST_RETRY_MINUTES * 2 ** (max(message.attempts, 1) - 1), LONGEST_RETRY_MINUTES)
    drawn = zlib.crc32(f"{message.id}:{message.attempts}".encode()) / 2**32
    return timedelta(minutes=minutes * (1 - JITTER + 2 * JITTER * drawn))
