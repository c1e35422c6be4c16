"""How fast mails may follow each other: through our relay, and to a provider that said we are too fast."""

from datetime import datetime, timedelta

from sqlmodel import Session

from backend.mail import repository
from backend.mail.tables import MailRoute

RELAY = "relay"
# A shorter wait is waited out by the worker; for a longer one the mail goes back into the outbox.
LONGEST_WAIT = timedelta(seconds=30)


def reserve(session: Session, recipient: str, *, spacing_seconds: float, now: datetime) -> datetime:
    """Return when a mail to this address may leave, and keep the others behind it if that is soon."""
    routes = repository.lock_routes(session, [RELAY, domain_of(recipient)])
    slot = max([now, *(route.free_at for route in routes)])
    if spacing_seconds > 0 and slot - now <= LONGEST_WAIT:
        hold(session, RELAY, until=slot + timedelta(seconds=spacing_seconds))
    return slot


def hold(session: Session, name: str, *, until: datetime) -> None:
    """Let no mail take this route before a time; a later time that is already set stays."""
    route = next(iter(repository.lock_routes(session, [name])), None)
    if route is None:
        session.add(MailRoute(name=name, free_at=until))
    elif route.free_at < until:
        route.free_at = until
        session.add(route)
    session.flush()


def domain_of(recipient: str) -> str:
    """Return the route of an address: its mail domain."""
    return "@" + recipient.rpartition("@")[2].lower()
