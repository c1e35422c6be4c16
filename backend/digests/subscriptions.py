"""Whether an account gets its digest, and the token with which it stops that without signing in."""

import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.digests import repository
from backend.digests.content import CATEGORY
from backend.digests.tables import DigestSubscription, Frequency
from backend.mail import outbox

TOKEN_BYTES = 24  # 192 bits
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
BY_LINK = "退订链接"
STOPPED = "收件人已退订"


def ensure_subscription(session: Session, account_id: UUID, *, now: datetime) -> DigestSubscription:
    """Return an account's subscription, beginning one if there is none: managers get the digest until they say no."""
    known = repository.find_subscription(session, account_id)
    if known is not None:
        return known
    subscription = DigestSubscription(account_id=account_id, token=secrets.token_urlsafe(TOKEN_BYTES), changed_at=now)
    if repository.add_if_new(session, subscription):
        return subscription
    return ensure_subscription(session, account_id, now=now)


def set_frequency(
    session: Session, account: Account, frequency: Frequency, *, now: datetime, source: str = ""
) -> DigestSubscription:
    """Settle how often a signed-in account gets its digest."""
    subscription = ensure_subscription(session, account.id, now=now)
    _set(session, subscription, account, frequency, by=account, now=now, source=source)
    return subscription


def unsubscribe(session: Session, token: str, *, now: datetime, source: str = "") -> bool:
    """Stop the digest of whoever this token belongs to; twice is once, and an unknown token changes nothing."""
    subscription = repository.lock_subscription(session, token=token) if TOKEN.fullmatch(token) else None
    account = session.get(Account, subscription.account_id) if subscription else None
    if subscription is None or account is None:
        return False
    _set(session, subscription, account, Frequency.OFF, by=BY_LINK, now=now, source=source)
    return True


def _set(
    session: Session,
    subscription: DigestSubscription,
    account: Account,
    frequency: Frequency,
    *,
    by: Account | str,
    now: datetime,
    source: str,
) -> None:
    if subscription.frequency is frequency:
        return
    subscription.frequency, subscription.changed_at = frequency, now
    session.add(subscription)
    if frequency is Frequency.OFF:
        # What was written before but has not left yet stays here, too.
        outbox.suppress(session, recipient=account.email, category=CATEGORY, reason=STOPPED, now=now)
    subject = f"account:{account.id}"
    detail = {"to": frequency.label}
    trail.record(session, by, action="digests.set_frequency", subject=subject, source=source, detail=detail, now=now)


trail.name_entries(actions={"digests.set_frequency": "修改周报接收方式"})
