"""Background work of listings: mails to owners, and the end of what has run out."""

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.jobs import enqueue, job
from backend.listings import repository, service
from backend.listings.pages_own import local_day
from backend.listings.tables import Listing, ListingEvent, State
from backend.mail import outbox
from backend.mail.messages import compose, sender_of
from backend.platform import Platform

CATEGORY = "listing"
TOLD = {
    State.PUBLISHED: "listing_published",
    State.RETURNED: "listing_returned",
    State.WITHDRAWN: "listing_withdrawn",
}
REMIND_DAYS = 14
BATCH = 500


@job("listings.tell_owner")
def tell_owner(session: Session, platform: Platform, *, listing_id: str, state: str) -> None:
    """Tell the owner by mail what a reviewer decided, unless it has been overtaken."""
    listing = session.get(Listing, UUID(listing_id))
    event = repository.find_last_step_to(session, UUID(listing_id), State(state))
    if listing is None or event is None or listing.state != state:
        return
    _write(session, platform, listing, TOLD[listing.state], key=f"listing:{listing.id}:{event.id}", event=event)


@job("listings.expire", cron="10 2 * * *")
def expire(session: Session, platform: Platform) -> None:
    """End what has run out."""
    while service.expire_listings(session, now=platform.clock(), limit=BATCH) == BATCH:
        session.flush()


@job("listings.remind_expiry", cron="30 2 * * *")
def remind_expiry(session: Session, platform: Platform) -> None:
    """Find what runs out within two weeks and queue one reminder for each end."""
    queue_reminders(session, now=platform.clock())


def queue_reminders(session: Session, *, now: datetime, batch: int = BATCH) -> None:
    """Queue a reminder for each listing that runs out soon, reading `batch` at a time; the same end is queued once."""
    until = now + timedelta(days=REMIND_DAYS)
    for offset in count(0, batch):
        ending = repository.find_expiring(session, after=now, until=until, limit=batch, offset=offset)
        for listing in ending:
            ends_on = _end_of(listing)
            key = f"listings.remind_owner:{listing.id}:{ends_on}"
            enqueue(session, "listings.remind_owner", key=key, listing_id=listing.id, ends_on=ends_on)
        if len(ending) < batch:
            return


@job("listings.remind_owner")
def remind_owner(session: Session, platform: Platform, *, listing_id: str, ends_on: str) -> None:
    """Remind an owner that a listing runs out, unless it was renewed or is gone by now."""
    listing = session.get(Listing, UUID(listing_id))
    if listing is None or listing.state is not State.PUBLISHED or _end_of(listing) != ends_on:
        return
    _write(session, platform, listing, "listing_expiring", key=f"listing-expiring:{listing.id}:{ends_on}")


def _end_of(listing: Listing) -> str:
    return local_day(listing.expires_at).isoformat() if listing.expires_at else ""


def _write(
    session: Session,
    platform: Platform,
    listing: Listing,
    template: str,
    *,
    key: str,
    event: ListingEvent | None = None,
) -> None:
    """Put one mail about a listing into its owner's outbox, once for each key."""
    owner = session.get(Account, listing.owner_id)
    if owner is None or not owner.is_active:
        return
    now: datetime = platform.clock()
    message = compose(
        template,
        recipient=owner.email,
        recipient_name=owner.display_name,
        category=CATEGORY,
        sender=sender_of(platform.settings),
        display_name=owner.display_name,
        kind=listing.kind.label,
        # A line separator is allowed in a title but not in a mail's subject.
        title=" ".join(listing.title.split()),
        reason=event.reason if event else "",
        expires_on=local_day(listing.expires_at) if listing.expires_at else None,
        link=f"{platform.settings.base_url}/my/listings/{listing.id}",
    )
    outbox.post(session, message, key=key, now=now)
