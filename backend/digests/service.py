"""The weekly digest: one edition a week, one digest for each reader and week, each pair and each notice shown once.

The key is the ISO week and the account, never a run: whoever composes twice, from wherever, writes one mail. Weeks that
were missed are folded into the present one, because what was not shown is still new.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.accounts.tables import Account
from backend.digests import repository
from backend.digests.content import find_content
from backend.digests.items import Content, freeze
from backend.digests.message import CATEGORY, PREVIEW_TOKEN, write_fitting
from backend.digests.subscriptions import ensure_subscription
from backend.digests.tables import LOWEST_LEVEL, Digest, DigestEdition, DigestItem, DigestNotice, Frequency, SkipReason
from backend.digests.week import ZONE, Week
from backend.errors import NotFound
from backend.jobs import enqueue
from backend.mail import addresses, outbox
from backend.mail.messages import Message
from backend.matching import saved_searches
from backend.platform import Platform
from models.relevance import MatchLevel

log = structlog.get_logger()
COMPOSE = "digests.compose"


def digest_key(week: Week, account_id: UUID) -> str:
    """Return what makes composing and posting one account's digest of one week happen once."""
    return f"{CATEGORY}:{week.key}:{account_id}"


def open_edition(session: Session, week: Week, *, now: datetime) -> list[UUID]:
    """Open the edition of a week, write down who is to have it, queue one digest for each, and return who they are.

    Opening it again queues nobody twice: it only reaches readers who are new since.
    """
    _ensure_edition(session, week, now=now)
    repository.add_due(session, week.key, repository.find_recipient_ids(session), now=now)
    due = list(repository.find_due_ids(session, week.key))
    for account_id in due:
        enqueue(session, COMPOSE, key=digest_key(week, account_id), week=week.key, account_id=account_id)
    log.info("digest.opened", week=week.key, due=len(due))
    return due


def _ensure_edition(session: Session, week: Week, *, now: datetime) -> None:
    if repository.find_edition(session, week.key) is None:
        repository.add_if_new(session, DigestEdition(week=week.key, opened_at=now))


def compose_digest(session: Session, account_id: UUID, week: Week, *, platform: Platform) -> Digest:
    """Write one account's digest of one week to the outbox, or say why there is none; a second run changes nothing."""
    account, now = session.get(Account, account_id), platform.clock()
    if account is None:
        raise NotFound(f"没有账号 {account_id}。")
    digest = _take_digest(session, account_id, week, now=now)
    if not digest.is_due:
        return digest
    subscription = ensure_subscription(session, account.id, now=now)
    skip = find_skip_reason(session, account, week, now=now)
    content = Content() if skip else _find_content(session, account, platform=platform, now=now)
    digest.skip_reason = skip or (None if content else SkipReason.NOTHING_NEW)
    digest.is_due, digest.composed_at = False, now
    session.add(digest)
    if digest.skip_reason:
        log.info("digest.skipped", account=str(account_id), week=week.key, why=digest.skip_reason.value)
    else:
        _post(session, digest, account, content, week=week, token=subscription.token, platform=platform)
    session.flush()
    return digest


def _take_digest(session: Session, account_id: UUID, week: Week, *, now: datetime) -> Digest:
    """Return the row of an account and week, locked; one that nobody wrote down yet is due."""
    known = repository.lock_digest(session, account_id, week.key)
    if known is not None:
        return known
    _ensure_edition(session, week, now=now)
    repository.add_due(session, week.key, [account_id], now=now)
    digest = repository.lock_digest(session, account_id, week.key)
    if digest is None:
        raise NotFound(f"没有 {week.key} 的周报。")
    return digest


def find_skip_reason(
    session: Session, account: Account, week: Week, *, now: datetime, heeds_frequency: bool = True
) -> SkipReason | None:
    """Return why an account gets no digest of a week, whatever there would be to tell."""
    if not account.role.reads_digest or not account.is_active:
        return SkipReason.NOT_ACTIVE
    if addresses.is_suppressed(session, account.email):
        return SkipReason.ADDRESS_BOUNCES
    subscription = repository.find_subscription(session, account.id)
    if subscription is None:
        return None
    if subscription.frequency is Frequency.OFF:
        return SkipReason.UNSUBSCRIBED
    if subscription.paused_until and now.astimezone(ZONE).date() < subscription.paused_until:
        return SkipReason.PAUSED
    is_early = heeds_frequency and not _is_due(session, account, subscription.frequency, week)
    return SkipReason.NOT_DUE if is_early else None


def _is_due(session: Session, account: Account, frequency: Frequency, week: Week) -> bool:
    """Tell whether enough weeks lie behind the last mail; a week with nothing to tell does not put the next one off."""
    last = repository.find_last_posted_week(session, account.id, before=week.key)
    return last is None or (week.monday - Week.parse(last).monday).days >= frequency.weeks * 7


def _find_content(session: Session, account: Account, *, platform: Platform, now: datetime) -> Content:
    subscription = repository.find_subscription(session, account.id)
    floor = MatchLevel(subscription.floor if subscription else LOWEST_LEVEL)
    return find_content(session, account, platform=platform, now=now, floor=floor)


def _post(
    session: Session,
    digest: Digest,
    account: Account,
    content: Content,
    *,
    week: Week,
    token: str,
    platform: Platform,
) -> None:
    """Freeze the mail in the outbox and remember what it tells, in one transaction with the digest."""
    message, content = write_fitting(account, content, week=week, token=token, settings=platform.settings)
    digest.outbox_key = digest_key(week, account.id)
    outbox.post(session, message, key=digest.outbox_key, now=digest.composed_at)
    _remember(session, digest, content)


def _remember(session: Session, digest: Digest, content: Content) -> None:
    """Keep what a digest tells, in the words of its mail, so that it is told once."""
    whose: dict[str, Any] = {"digest_id": digest.id, "account_id": digest.account_id}
    for position, item in enumerate(content.items, start=1):
        pair = whose | {"supply_id": item.supply_id, "demand_id": item.demand_id, "fingerprint": item.fingerprint}
        session.add(DigestItem(**pair, position=position, words=freeze(item)))
    for position, notice in enumerate(content.notices, start=1):
        told = whose | {"key": notice.key, "listing_id": notice.listing_id}
        session.add(DigestNotice(**told, position=position, words=freeze(notice)))
    saved_searches.note_told(session, content.search_ids, now=digest.composed_at)


def next_week(session: Session, account_id: UUID, *, now: datetime) -> Week:
    """Return the week of an account's next digest.

    It is the present one until that is composed, or until Monday is over without an edition.
    """
    week = Week.of(now)
    known = repository.find_digest(session, account_id, week.key)
    is_composed = known is not None and not known.is_due
    is_over = now.astimezone(ZONE).date() > week.monday and repository.find_edition(session, week.key) is None
    return week.next() if is_composed or is_over else week


def preview(
    session: Session, account: Account, week: Week, *, platform: Platform, is_own: bool = True
) -> Message | SkipReason:
    """Return the mail that an account would get if its digest were composed now, or why there is nothing to show.

    Who unsubscribed or paused sees what it would be. Shown to somebody else, it holds no link that acts for its reader.
    """
    if not account.role.reads_digest or not account.is_active:
        return SkipReason.NOT_ACTIVE
    content = _find_content(session, account, platform=platform, now=platform.clock())
    if not content:
        return SkipReason.NOTHING_NEW
    subscription = repository.find_subscription(session, account.id)
    token = subscription.token if subscription and is_own else PREVIEW_TOKEN
    return write_fitting(account, content, week=week, token=token, settings=platform.settings)[0]
