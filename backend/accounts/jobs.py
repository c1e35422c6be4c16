"""Background work of accounts."""

from sqlmodel import Session

from backend.accounts import service
from backend.jobs import job
from backend.platform import Platform


@job("accounts.prune", max_attempts=2, cron="20 3 * * *")
def prune(session: Session, platform: Platform) -> None:
    """Delete what signing in leaves behind: sessions that are over, used links, old failures."""
    service.prune(session, now=platform.clock())
