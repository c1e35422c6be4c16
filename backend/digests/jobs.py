"""Background work of the weekly digest."""

from uuid import UUID

from sqlmodel import Session

from backend.digests import last_look, service
from backend.digests.week import Week
from backend.jobs import job
from backend.platform import Platform

LOOKS = (last_look.look,)  # importing it is what leaves the look with the mail room


@job("digests.open", cron_setting="digest_cron")
def open_edition(session: Session, platform: Platform) -> None:
    """Open the edition of the week that it is now.

    A tick that was missed is made up once a worker runs again, however late: weeks that are over by then are left out,
    for what they would have said is still new, and the present week is opened once, whoever opens it.
    """
    now = platform.clock()
    service.open_edition(session, Week.of(now), now=now)


@job("digests.compose")
def compose(session: Session, platform: Platform, *, week: str, account_id: str) -> None:
    """Write one account's digest of one week to the outbox, or record why not."""
    service.compose_digest(session, UUID(account_id), Week.parse(week), platform=platform)
