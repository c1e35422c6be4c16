"""One digest sent to one person to look at: the real mail, in the real outbox, but of no edition."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.mail import outbox
from backend.mail.messages import Message
from backend.mail.tables import OutboxMessage

CATEGORY = "test"


def send(
    session: Session, written: Message, *, to: Account, by: Account, now: datetime, source: str = ""
) -> OutboxMessage:
    """Post a trial mail; pressing the button again within a minute sends no second one."""
    message = replace(written, category=CATEGORY, recipient=to.email)
    posted = outbox.post(session, message, key=f"digest-trial:{to.id}:{now:%Y%m%d%H%M}", now=now)
    trail.record(session, by, action="digests.try", subject=f"account:{to.id}", source=source, now=now)
    return posted


trail.name_entries(actions={"digests.try": "试发周报"})
