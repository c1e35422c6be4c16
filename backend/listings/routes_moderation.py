"""Reviewing: the queue, one listing as reviewers see it, and what they decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.errors import Invalid
from backend.listings import repository, reviewing
from backend.listings.cards import make_card
from backend.listings.contents import read_content
from backend.listings.differences import compare
from backend.listings.hints import review_hints
from backend.listings.pages_moderation import Errors, QueuePage, QueueRow, ReviewPage, whole_reason
from backend.listings.pages_own import contact_of, history_line, local_day
from backend.listings.repository import ListingBundle
from backend.listings.tables import Listing, State
from backend.platform import Platform
from backend.web.forms import FormDep, SubmittedForm
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/moderation")
Moderator = Annotated[Account, require(Role.MODERATOR)]
PAGE_SIZE = 20
LONGEST_VERSION = 9
SHOWN_TITLE = 30


@router.get("", name="moderation.queue")
def queue(request: Request, session: SessionDep, platform: PlatformDep, account: Moderator, now: Now) -> Response:
    """Show what waits for review, longest wait first."""
    total = repository.count_pending(session)
    last = last_page(total, PAGE_SIZE)
    current = min(page_number(request), last)
    waiting = repository.find_pending(session, limit=PAGE_SIZE, offset=(current - 1) * PAGE_SIZE)
    bundles = repository.load_bundles(session, [listing.id for listing in waiting])
    rows = [_queue_row(bundles[listing.id], account, platform=platform, now=now) for listing in waiting]
    return render(request, QueuePage(rows=rows, total=total, current=current, last=last))


@router.get("/{listing_id:uuid}", name="moderation.show")
def show(
    request: Request, listing_id: UUID, session: SessionDep, platform: PlatformDep, account: Moderator, now: Now
) -> Response:
    """Show one listing with all that a reviewer may know of it."""
    return render(request, _review_page(session, listing_id, account, platform=platform, now=now))


@router.post("/{listing_id:uuid}/publish", name="moderation.publish")
def publish(
    request: Request,
    listing_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: Moderator,
    now: Now,
    source: Source,
) -> Response:
    """Publish a listing as the reviewer saw it."""
    listing = reviewing.publish_listing(
        session,
        listing_id,
        by=account,
        now=now,
        days=platform.settings.listing_days,
        seen_version=_seen_version(form),
        source=source,
    )
    return _decided(request, listing, "已发布")


@router.post("/{listing_id:uuid}/return", name="moderation.return")
def return_to_author(
    request: Request,
    listing_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: Moderator,
    now: Now,
    source: Source,
) -> Response:
    """Give a listing back with the reason; without one, show the page again with what was typed."""
    try:
        listing = reviewing.return_listing(
            session,
            listing_id,
            by=account,
            now=now,
            reason=whole_reason(form.every("ready"), form.first("reason")),
            seen_version=_seen_version(form),
            source=source,
        )
    except Invalid as error:
        return _again(request, session, listing_id, form, error, account=account, platform=platform, now=now)
    return _decided(request, listing, "已退回")


@router.post("/{listing_id:uuid}/withdraw", name="moderation.withdraw")
def take_down(
    request: Request,
    listing_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: Moderator,
    now: Now,
    source: Source,
) -> Response:
    """Take a published listing off the market, with the reason."""
    try:
        listing = reviewing.take_down(
            session,
            listing_id,
            by=account,
            now=now,
            reason=whole_reason(form.every("ready"), form.first("reason")),
            source=source,
        )
    except Invalid as error:
        return _again(request, session, listing_id, form, error, account=account, platform=platform, now=now)
    return _decided(request, listing, "已下架")


def _decided(request: Request, listing: Listing, deed: str) -> Response:
    title = listing.title if len(listing.title) <= SHOWN_TITLE else f"{listing.title[:SHOWN_TITLE]}……"
    said = f"{deed}《{title}》，已写邮件告诉作者。"
    return redirect(request, build_url(request.app, "moderation.queue"), flash=said)


def _again(
    request: Request,
    session: Session,
    listing_id: UUID,
    form: SubmittedForm,
    error: Invalid,
    *,
    account: Account,
    platform: Platform,
    now: datetime,
) -> Response:
    """Show the review page again with the reason as far as it was written."""
    page = _review_page(
        session,
        listing_id,
        account,
        platform=platform,
        now=now,
        chosen=form.every("ready"),
        typed=form.first("reason"),
        errors=[(item.field, item.message) for item in error.errors],
    )
    return render(request, page, status=422)


def _seen_version(form: SubmittedForm) -> int:
    """Return the version that the reviewer saw, as the form says; none was seen when it does not say."""
    text = form.first("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_VERSION else 0


def _queue_row(bundle: ListingBundle, account: Account, *, platform: Platform, now: datetime) -> QueueRow:
    listing, card = bundle.listing, make_card(bundle, platform.catalogue, reader=account)
    submitted_at = listing.submitted_at or listing.updated_at
    return QueueRow(
        id=listing.id,
        kind=listing.kind,
        title=listing.title,
        summary=listing.summary,
        organisation=card.organisation,
        verified=card.verified,
        province=card.province,
        place=card.place,
        fields=card.fields,
        submitted_at=submitted_at.astimezone(LOCAL_ZONE),
        waited_days=max((local_day(now) - local_day(submitted_at)).days, 0),
        hints=review_hints(bundle, now=now),
        is_own=card.is_own,
    )


def _review_page(
    session: Session,
    listing_id: UUID,
    account: Account,
    *,
    platform: Platform,
    now: datetime,
    chosen: Sequence[str] = (),
    typed: str = "",
    errors: Errors = (),
) -> ReviewPage:
    bundle = reviewing.get_bundle_for_review(session, listing_id, by=account)
    listing, catalogue = bundle.listing, platform.catalogue
    is_own = listing.owner_id == account.id
    public = None if listing.state is State.PUBLISHED else repository.find_last_public_version(session, listing_id)
    events = repository.find_events(session, listing_id)
    owner = session.get(Account, listing.owner_id)
    return ReviewPage(
        card=make_card(bundle, catalogue, reader=account),
        contact=contact_of(listing),
        author=owner.display_name if owner else "",
        version=listing.version,
        submitted_at=listing.submitted_at.astimezone(LOCAL_ZONE) if listing.submitted_at else None,
        is_own=is_own,
        can_decide=listing.state is State.PENDING and not is_own,
        can_take_down=listing.state is State.PUBLISHED and not is_own,
        hints=review_hints(bundle, now=now),
        has_been_public=public is not None,
        changes=compare(public.content, read_content(session, listing), catalogue) if public else (),
        history=[history_line(event, owner_id=listing.owner_id) for event in events],
        chosen=chosen,
        typed=typed,
        errors=errors,
    )
