"""Links sent by mail: good for one purpose, once, and for a limited time. Opening one changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from backend.accounts import repository
from backend.accounts.tables import Account, MailedToken, TokenPurpose
from backend.accounts.tokens import digest, new_secret
from backend.errors import Conflict
from backend.mail import addresses, outbox
from backend.mail.messages import Message, Sender, compose

CATEGORY = "account"
CONFIRMATION_HOURS = 24
RESET_MINUTES = 30
VALID_FOR = {
    TokenPurpose.CONFIRM_ADDRESS: timedelta(hours=CONFIRMATION_HOURS),
    TokenPurpose.RESET_PASSWORD: timedelta(minutes=RESET_MINUTES),
}


class LinkState(StrEnum):
    """What became of a mailed link."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


LINK_SENTENCES = {
    LinkState.USED: "这个链接已经用过，每个链接只能用一次。",
    LinkState.EXPIRED: "这个链接已经过期。",
    LinkState.UNKNOWN: "没有这个链接，它可能没有复制完整。",
}


@dataclass(frozen=True)
class Stationery:
    """What every mail needs: who sends it, and how the absolute address of a purpose and a token is made."""

    sender: Sender
    link: Callable[[TokenPurpose, str], str]


@dataclass(frozen=True)
class Letter:
    """A mail that is ready, and the token in its link, not yet written down."""

    message: Message
    token: str
    purpose: TokenPurpose


def write_confirmation(address: str, *, stationery: Stationery) -> Letter:
    """Write the mail that asks to confirm an address.

    It names nobody: whoever typed the address may not own it, and must not be able to send others a text of theirs.
    """
    token = new_secret()
    message = compose(
        "confirm_address",
        recipient=address,
        recipient_name="",
        category=CATEGORY,
        sender=stationery.sender,
        address=address,
        link=stationery.link(TokenPurpose.CONFIRM_ADDRESS, token),
        hours=CONFIRMATION_HOURS,
    )
    return Letter(message, token, TokenPurpose.CONFIRM_ADDRESS)


def write_reset(address: str, name: str, *, is_registration: bool, stationery: Stationery) -> Letter:
    """Write the mail with which a password is set anew; after a registration it says that an account exists."""
    token = new_secret()
    message = compose(
        "reset_password",
        recipient=address,
        recipient_name=name,
        category=CATEGORY,
        sender=stationery.sender,
        address=address,
        link=stationery.link(TokenPurpose.RESET_PASSWORD, token),
        minutes=RESET_MINUTES,
        is_registration=is_registration,
    )
    return Letter(message, token, TokenPurpose.RESET_PASSWORD)


def send(session: Session, letter: Letter, account: Account, *, now: datetime) -> None:
    """Put a letter into the outbox and make its link valid."""
    token = MailedToken(
        token_hash=digest(letter.token),
        purpose=letter.purpose,
        account_id=account.id,
        created_at=now,
        expires_at=now + VALID_FOR[letter.purpose],
    )
    session.add(token)
    session.flush()
    outbox.post(session, letter.message, key=f"{letter.purpose}:{token.id}", now=now)


def look_up(session: Session, token: str, purpose: TokenPurpose, *, now: datetime) -> LinkState:
    """Say whether a link can still be used."""
    return _state(repository.find_mailed_token(session, digest(token), purpose), now)


def _state(known: MailedToken | None, now: datetime) -> LinkState:
    if known is None:
        return LinkState.UNKNOWN
    if known.used_at is not None:
        return LinkState.USED
    return LinkState.EXPIRED if now >= known.expires_at else LinkState.OPEN


def use(session: Session, token: str, purpose: TokenPurpose, *, now: datetime) -> Account:
    """Use a link up, with all others of its purpose, and return whose it is.

    Raises: Conflict, when it was used before, has expired or never existed.
    """
    known = repository.find_mailed_token(session, digest(token), purpose)
    state = _state(known, now)
    if known is not None and state is LinkState.OPEN:
        account = session.get(Account, known.account_id)
        if account is not None and repository.use_mailed_token(session, known.id, now=now):
            repository.use_other_mailed_tokens(session, account.id, purpose, now=now)
            # Whoever holds the link reads mail at this address: what came back from it before no longer counts.
            addresses.forgive(session, account.email, now=now)
            return account
        state = LinkState.USED
    raise Conflict(LINK_SENTENCES[state], remedy="请让我们再发一封邮件，用新邮件里的链接。")


def find_owner(session: Session, token: str, purpose: TokenPurpose) -> Account | None:
    """Return whose a link is, whether it can still be used or not."""
    known = repository.find_mailed_token(session, digest(token), purpose)
    return session.get(Account, known.account_id) if known else None
