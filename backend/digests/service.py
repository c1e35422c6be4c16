"""The weekly digest: one edition a week, one digest for each manager and week, each pair shown once.

The key is the ISO week and the account, never a run: whoever composes twice, from wherever, writes one mail.
"""

from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.accounts.tables import Account, Role
from backend.desk import repository as desk_repository
from backend.digests import repository
from backend.digests.content import PREVIEW_TOKEN, Item, find_items, write_message
from backend.digests.subscriptions import ensure_subscription
from backend.digests.tables import Digest, DigestEdition, DigestItem, Frequency, SkipReason
from backend.digests.week import ZONE, Week
from backend.errors import NotFound
from backend.jobs import enqueue
from backend.mail import outbox
from backend.mail.messages import Message
from backend.platform import Platform

log = structlog.get_logger()


def digest_key(week: Week, account_id: UUID) -> str:
    """Return what makes composing and posting one account's digest of one week happen once."""
    return f"digest:{week.key}:{account_id}"


def open_edition(session: Session, week: Week, *, now: datetime) -> list[UUID]:
    """Open the edition of a week, queue one digest for every active manager, and return who they are.

    Opening it again queues nobody twice: it only reaches managers who are new since.
    """
    if repository.find_edition(session, week.key) is None:
        repository.add_if_new(session, DigestEdition(week=week.key, opened_at=now))
    managers = list(desk_repository.find_manager_ids(session))
    for account_id in managers:
        key = digest_key(week, account_id)
        enqueue(session, "digests.compose", key=key, week=week.key, account_id=account_id)
    return managers


def compose_digest(session: Session, account_id: UUID, week: Week, *, platform: Platform) -> Digest:
    """Write one account's digest of one week to the outbox, or say why there is none; a second run changes nothing."""
    known = repository.find_digest(session, account_id, week.key)
    if known is not None:
        return known
    account, now = session.get(Account, account_id), platform.clock()
    if account is None:
        raise NotFound(f"没有账号 {account_id}。")
    if repository.find_edition(session, week.key) is None:
        repository.add_if_new(session, DigestEdition(week=week.key, opened_at=now))
    skip = _find_skip_reason(session, account)
    items = [] if skip else find_items(session, account, platform=platform, now=now)
    skip = skip or (None if items else SkipReason.NOTHING_NEW)
    digest = Digest(week=week.key, account_id=account_id, composed_at=now, skip_reason=skip)
    if not repository.add_if_new(session, digest):
        return _get_digest(session, account_id, week)
    if skip:
        log.info("digest.skipped", account=str(account_id), week=week.key, why=skip.value)
        return digest
    _post(session, digest, account, items, week=week, platform=platform)
    return digest


def _find_skip_reason(session: Session, account: Account) -> SkipReason | None:
    if account.role is not Role.MANAGER or not account.is_active:
        return SkipReason.NOT_ACTIVE
    subscription = repository.find_subscription(session, account.id)
    is_off = subscription is not None and subscription.frequency is Frequency.OFF
    return SkipReason.UNSUBSCRIBED if is_off else None


def _post(
    session: Session, digest: Digest, account: Account, items: list[Item], *, week: Week, platform: Platform
) -> None:
    """Freeze the mail in the outbox and remember what it shows, in one transaction with the digest."""
    subscription = ensure_subscription(session, account.id, now=digest.composed_at)
    message = write_message(account, items, week=week, token=subscription.token, settings=platform.settings)
    key = digest_key(week, account.id)
    outbox.post(session, message, key=key, now=digest.composed_at)
    digest.outbox_key = key
    session.add(digest)
    for position, item in enumerate(items, start=1):
        session.add(
            DigestItem(
                digest_id=digest.id,
                account_id=account.id,
                supply_id=item.supply_id,
                demand_id=item.demand_id,
                fingerprint=item.fingerprint,
                position=position,
            )
        )
    session.flush()


def _get_digest(session: Session, account_id: UUID, week: Week) -> Digest:
    digest = repository.find_digest(session, account_id, week.key)
    if digest is None:
        raise NotFound(f"没有 {week.key} 的周报。")
    return digest


def next_week(session: Session, account_id: UUID, *, now: datetime) -> Week:
    """Return the week of an account's next digest.

    It is the present one until that is composed, or until Monday is over without an edition.
    """
    week = Week.of(now)
    is_composed = repository.find_digest(session, account_id, week.key) is not None
    is_over = now.astimezone(ZONE).date() > week.monday and repository.find_edition(session, week.key) is None
    return week.next() if is_composed or is_over else week


def preview(session: Session, account: Account, week: Week, *, platform: Platform) -> Message | SkipReason:
    """Return the mail that an account would get if its digest were composed now, or why it would get none."""
    skip = _find_skip_reason(session, account)
    if skip is SkipReason.NOT_ACTIVE:
        return skip
    items = find_items(session, account, platform=platform, now=platform.clock())
    if not items:
        return SkipReason.NOTHING_NEW
    subscription = repository.find_subscription(session, account.id)
    token = subscription.token if subscription else PREVIEW_TOKEN
    return write_message(account, items, week=week, token=token, settings=platform.settings)
