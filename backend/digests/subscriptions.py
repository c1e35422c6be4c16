"""Whether and how an account gets its digest, and the token with which it changes that without signing in."""

import re
import secrets
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.digests import repository
from backend.digests.message import CATEGORY
from backend.digests.tables import LOWEST_LEVEL, DigestSubscription, Frequency
from backend.digests.week import ZONE
from backend.mail import outbox

TOKEN_BYTES = 24  # 192 bits
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
BY_LINK = "退订链接"
STOPPED = "收件人已退订"
PAUSED = "收件人暂停接收"
LEVEL_NAMES = {"strong": "强", "fair": "较强及以上", "weak": "弱及以上"}


def ensure_subscription(session: Session, account_id: UUID, *, now: datetime) -> DigestSubscription:
    """Return an account's subscription, beginning one if there is none: readers get the digest until they say no."""
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
    """Settle how often a signed-in account gets its digest; any pause and floor stay as they are."""
    known = ensure_subscription(session, account.id, now=now)
    return set_preferences(
        session, account, frequency, paused_until=known.paused_until, floor=known.floor, now=now, source=source
    )


def set_preferences(
    session: Session,
    account: Account,
    frequency: Frequency,
    *,
    paused_until: date | None = None,
    floor: str = LOWEST_LEVEL,
    now: datetime,
    source: str = "",
) -> DigestSubscription:
    """Settle how often an account gets its digest, from when on, and how well a pair must fit to be shown."""
    subscription = ensure_subscription(session, account.id, now=now)
    wanted = frequency, paused_until, floor
    _set(session, subscription, account, wanted, by=account, now=now, source=source)
    return subscription


def find_account(session: Session, token: str) -> Account | None:
    """Return whose token this is; None for an unknown one."""
    subscription = repository.find_by_token(session, token) if TOKEN.fullmatch(token) else None
    return session.get(Account, subscription.account_id) if subscription else None


def unsubscribe(session: Session, token: str, *, now: datetime, source: str = "") -> bool:
    """Stop the digest of whoever this token belongs to; twice is once, and an unknown token changes nothing."""
    return change_by_token(session, token, Frequency.OFF, now=now, source=source)


def change_by_token(session: Session, token: str, frequency: Frequency, *, now: datetime, source: str = "") -> bool:
    """Settle how often whoever this token belongs to gets the digest, and tell whether the token is known."""
    subscription = repository.lock_subscription(session, token=token) if TOKEN.fullmatch(token) else None
    account = session.get(Account, subscription.account_id) if subscription else None
    if subscription is None or account is None:
        return False
    wanted = frequency, subscription.paused_until, subscription.floor
    _set(session, subscription, account, wanted, by=BY_LINK, now=now, source=source)
    return True


def _set(
    session: Session,
    subscription: DigestSubscription,
    account: Account,
    wanted: tuple[Frequency, date | None, str],
    *,
    by: Account | str,
    now: datetime,
    source: str,
) -> None:
    if (subscription.frequency, subscription.paused_until, subscription.floor) == wanted:
        return
    subscription.frequency, subscription.paused_until, subscription.floor = wanted
    subscription.changed_at = now
    session.add(subscription)
    frequency, paused_until, floor = wanted
    reason = _why_stopped(frequency, paused_until, now.astimezone(ZONE).date())
    if reason:
        # What was written before but has not left yet stays here, too.
        outbox.suppress(session, recipient=account.email, category=CATEGORY, reason=reason, now=now)
    detail = {"to": frequency.label, "paused_until": str(paused_until or ""), "floor": LEVEL_NAMES.get(floor, floor)}
    subject = f"account:{account.id}"
    trail.record(session, by, action="digests.set_frequency", subject=subject, source=source, detail=detail, now=now)


def _why_stopped(frequency: Frequency, paused_until: date | None, today: date) -> str:
    if frequency is Frequency.OFF:
        return STOPPED
    return PAUSED if paused_until and today < paused_until else ""


trail.name_entries(
    actions={"digests.set_frequency": "修改周报接收方式"},
    details={"paused_until": "暂停到", "floor": "最低匹配度"},
)
