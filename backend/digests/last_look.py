"""The last look at a digest before it leaves: whether its reader still wants it, and all in it is still public.

A listing that left the market since the digest was written is taken out, and the mail is written anew from the words
that were frozen with it. What was taken out counts as never shown.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.digests import repository
from backend.digests.finds import FOUND
from backend.digests.items import Content, thaw_item, thaw_notice
from backend.digests.message import CATEGORY, write_message
from backend.digests.notices import EXPIRING, MOVED
from backend.digests.service import find_skip_reason
from backend.digests.subscriptions import ensure_subscription
from backend.digests.tables import Digest, DigestItem, DigestNotice
from backend.digests.week import Week
from backend.mail.last_look import before_sending
from backend.mail.tables import OutboxMessage
from backend.settings import Settings

ALL_GONE = "周报里的信息都已不再公开"


@before_sending(CATEGORY)
def look(session: Session, message: OutboxMessage, settings: Settings, now: datetime) -> str:
    """Return why a digest may no longer leave, or nothing; take out of it what is no longer public."""
    digest = repository.find_by_outbox_key(session, message.key)
    account = session.get(Account, digest.account_id) if digest else None
    if digest is None or account is None:
        return ""
    session.refresh(account)
    skip = find_skip_reason(session, account, Week.parse(digest.week), now=now, heeds_frequency=False)
    if skip:
        return skip.label
    items, notices = repository.find_items(session, digest.id), repository.find_notices(session, digest.id)
    published = repository.find_published(session, _listing_ids(items, notices))
    gone = [
        *(item for item in items if not {item.supply_id, item.demand_id} <= published),
        # That a case moved because its listing left the market stays true; nothing else does.
        *(one for one in notices if one.words["kind"] != MOVED and one.listing_id not in published),
    ]
    if not gone or any(item.words is None for item in items):
        return ""
    for row in gone:
        session.delete(row)
    session.flush()
    return _rewrite(session, message, digest, account, settings, now=now)


def _listing_ids(items: Sequence[DigestItem], notices: Sequence[DigestNotice]) -> list[UUID]:
    sides = {side for item in items for side in (item.supply_id, item.demand_id)}
    return sorted(sides | {notice.listing_id for notice in notices})


def _rewrite(
    session: Session, message: OutboxMessage, digest: Digest, account: Account, settings: Settings, *, now: datetime
) -> str:
    content = frozen_content(session, digest.id)
    if not content:
        return ALL_GONE
    token = ensure_subscription(session, account.id, now=now).token
    written = write_message(account, content, week=Week.parse(digest.week), token=token, settings=settings)
    message.subject, message.body_text, message.body_html = written.subject, written.text, written.html
    session.add(message)
    session.flush()
    return ""


def frozen_content(session: Session, digest_id: UUID) -> Content:
    """Return what a digest tells, from the words that were frozen with it."""
    items = [thaw_item(row.words) for row in repository.find_items(session, digest_id) if row.words]
    notices = [thaw_notice(row.words) for row in repository.find_notices(session, digest_id)]
    return Content(
        tuple(items),
        *(tuple(one for one in notices if one.kind == kind) for kind in (EXPIRING, MOVED, FOUND)),
    )
