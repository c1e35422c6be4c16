"""The last look at a mail before it leaves, to see whether it may still go and everything in it is still true.

A domain that writes mails of a category may leave a look for it here; it runs in the transaction in which the mail is
taken out of the outbox, and may rewrite the mail. What it returns, if anything, is why the mail stays here.
"""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from backend.mail import addresses
from backend.mail.tables import OutboxMessage
from backend.settings import Settings

Look = Callable[[Session, OutboxMessage, Settings, datetime], str]
# A letter that somebody just asked for goes out whatever came back before: it may be what mends the address.
ASKED_FOR = frozenset({"account", "test"})
BOUNCED_TOO_OFTEN = "这个地址多次退信，已停发"
_looks: dict[str, Look] = {}


def before_sending(category: str) -> Callable[[Look], Look]:
    """Leave a look for one category of mail."""

    def register(look: Look) -> Look:
        if category in _looks:
            raise ValueError(f"two looks at mails of the category {category!r}")
        _looks[category] = look
        return look

    return register


def reason_to_keep(session: Session, message: OutboxMessage, settings: Settings, now: datetime) -> str:
    """Return why a mail must not leave now, or nothing."""
    if message.category not in ASKED_FOR and addresses.is_suppressed(session, message.recipient):
        return BOUNCED_TOO_OFTEN
    look = _looks.get(message.category)
    return look(session, message, settings, now) if look else ""
