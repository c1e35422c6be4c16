"""Background work of matching."""

from uuid import UUID

from sqlmodel import Session

from backend.jobs import enqueue, job
from backend.matching import indexing
from backend.platform import Platform

AT_ONCE = 500


@job("matching.follow")
def follow(session: Session, platform: Platform, *, listing_id: str) -> None:
    """Embed a listing as it stands now, or let the index forget it, and tell every index to look."""
    indexing.follow_listing(session, UUID(listing_id), encoder=platform.encoder, now=platform.clock())


@job("matching.snapshot", max_attempts=2, cron="*/10 * * * *")
def snapshot(session: Session, platform: Platform) -> None:
    """Write a new snapshot once so much has changed that following it from memory costs more."""
    if platform.index.current(session).needs_rebuild:
        platform.index.rebuild(session)


@job("matching.embed_missing", max_attempts=2, cron="*/5 * * * *")
def embed_missing(session: Session, platform: Platform) -> None:
    """Embed what the present encoder has not seen, such as after a change of encoder."""
    made = indexing.embed_missing(session, encoder=platform.encoder, now=platform.clock(), limit=AT_ONCE)
    if made == AT_ONCE:
        enqueue(session, "matching.embed_missing")
