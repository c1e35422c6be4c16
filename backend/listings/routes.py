"""One's own listings: the list, one of them, and what their owner does with them."""

from datetime import datetime
from itertools import pairwise
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import CurrentAccount, Now, PlatformDep, Source
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.errors import Invalid
from backend.listings import repository, routes_writing, service
from backend.listings.cards import make_card
from backend.listings.contents import read_content
from backend.listings.differences import compare
from backend.listings.pages import author_of, edited_of, make_form_page
from backend.listings.pages_own import (
    DEEDS,
    Errors,
    MinePage,
    OwnPage,
    StateTab,
    VersionView,
    contact_of,
    days_left,
    history_line,
    local_day,
    own_row,
)
from backend.listings.repository import ListingBundle
from backend.listings.tables import Listing, State
from backend.platform import Platform
from backend.policy.catalogue import Catalogue
from backend.web.forms import FormDep
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter()
router.include_router(routes_writing.router)

PAGE_SIZE = 20
SHOWN_VERSIONS = 10
OUTCOMES = {"matched": True, "closed": False}


@router.get("/my/listings", name="listings.mine")
def mine(request: Request, session: SessionDep, account: CurrentAccount, now: Now) -> Response:
    """Show one's own listings, by state."""
    asked = request.query_params.get("state", "")
    state = State(asked) if asked in set(State) else None
    counts = repository.count_owned_by_state(session, account.id)
    total = counts.get(state, 0) if state else sum(counts.values())
    last = last_page(total, PAGE_SIZE)
    current = min(page_number(request), last)
    owned = repository.find_owned(
        session,
        account.id,
        states=[state] if state else list(State),
        limit=PAGE_SIZE,
        offset=(current - 1) * PAGE_SIZE,
    )
    steps = repository.find_last_events(session, [listing.id for listing in owned])
    tabs = [StateTab("", sum(counts.values()), state is None)]
    tabs += [StateTab(entry.value, counts.get(entry, 0), entry is state) for entry in State]
    page = MinePage(
        tabs=tabs,
        state=state.value if state else "",
        rows=[own_row(listing, reason=steps[listing.id].reason, now=now) for listing in owned],
        has_any=bool(counts),
        current=current,
        last=last,
    )
    return render(request, page)


@router.get("/my/listings/{listing_id:uuid}", name="listings.own")
def own(
    request: Request, listing_id: UUID, session: SessionDep, platform: PlatformDep, account: CurrentAccount, now: Now
) -> Response:
    """Show one of one's own listings."""
    bundle = service.get_own_bundle(session, listing_id, by=account)
    return render(request, _own_page(session, bundle, account, platform=platform, now=now))


@router.post("/my/listings/{listing_id:uuid}/submit", name="listings.submit")
def submit(
    request: Request,
    listing_id: UUID,
    _form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Hand a listing in for review; show the form when it still lacks something."""
    try:
        listing = service.submit_listing(session, listing_id, by=account, now=now, source=source)
    except Invalid as error:
        return _incomplete(request, session, listing_id, error, account=account, platform=platform, now=now)
    return _done(request, listing, f"这条{listing.kind.label}已提交审核，结果会发邮件告诉您。")


@router.post("/my/listings/{listing_id:uuid}/withdraw", name="listings.withdraw")
def withdraw(
    request: Request,
    listing_id: UUID,
    _form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Take a listing off the market; its page offers to hand it in again."""
    listing = service.withdraw_listing(session, listing_id, by=account, now=now, source=source)
    return _done(request, listing, f"这条{listing.kind.label}已下架，内容都保留着，可以在这一页重新提交。")


@router.post("/my/listings/{listing_id:uuid}/renew", name="listings.renew")
def renew(
    request: Request,
    listing_id: UUID,
    _form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Let a listing stay longer, or hand one in again that has gone."""
    try:
        listing = service.renew_listing(
            session, listing_id, by=account, now=now, days=platform.settings.listing_days, source=source
        )
    except Invalid as error:
        return _incomplete(request, session, listing_id, error, account=account, platform=platform, now=now)
    if listing.state is State.PUBLISHED and listing.expires_at:
        return _done(request, listing, f"已续期到 {local_day(listing.expires_at):%Y-%m-%d}。")
    return _done(request, listing, f"这条{listing.kind.label}已重新提交审核，结果会发邮件告诉您。")


@router.post("/my/listings/{listing_id:uuid}/close", name="listings.close")
def close(
    request: Request,
    listing_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """End a listing, saying whether it found its partner."""
    outcome = form.first("outcome")
    if outcome not in OUTCOMES:
        bundle = service.get_own_bundle(session, listing_id, by=account)
        errors = [("outcome", "请选择结束的原因：已经对接，或者不再需要。")]
        page = _own_page(session, bundle, account, platform=platform, now=now, errors=errors)
        return render(request, page, status=422)
    is_matched = OUTCOMES[outcome]
    listing = service.close_listing(session, listing_id, by=account, now=now, is_matched=is_matched, source=source)
    return _done(request, listing, f"这条{listing.kind.label}已标记为{listing.state.label}，不再公开。")


def _done(request: Request, listing: Listing, said: str) -> Response:
    return redirect(request, build_url(request.app, "listings.own", listing_id=listing.id), flash=said)


def _incomplete(
    request: Request,
    session: Session,
    listing_id: UUID,
    error: Invalid,
    *,
    account: Account,
    platform: Platform,
    now: datetime,
) -> Response:
    """Show the form of a listing that cannot be handed in yet, with what it lacks."""
    listing = service.get_own_bundle(session, listing_id, by=account).listing
    page = make_form_page(
        platform.catalogue,
        author_of(session, account),
        kind=listing.kind,
        values=read_content(session, listing),
        now=now,
        edited=edited_of(session, listing),
        errors=error.errors,
    )
    return render(request, page, status=422)


def _own_page(
    session: Session,
    bundle: ListingBundle,
    account: Account,
    *,
    platform: Platform,
    now: datetime,
    errors: Errors = (),
) -> OwnPage:
    listing = bundle.listing
    events = repository.find_events(session, listing.id)
    latest = events[0]
    waits_since = listing.submitted_at if listing.state is State.PENDING else None
    return OwnPage(
        card=make_card(bundle, platform.catalogue, reader=account),
        contact=contact_of(listing),
        deeds=DEEDS[listing.state],
        submitted_at=listing.submitted_at.astimezone(LOCAL_ZONE) if listing.submitted_at else None,
        ended_on=local_day(listing.ended_at) if listing.ended_at else None,
        expires_on=local_day(listing.expires_at) if listing.expires_at else None,
        days_left=days_left(listing, now=now),
        ahead=repository.count_waiting_before(session, waits_since) if waits_since else 0,
        reason=latest.reason,
        was_taken_down=listing.state is State.WITHDRAWN and latest.by_id != listing.owner_id,
        history=[history_line(event, owner_id=listing.owner_id) for event in events],
        versions=_versions(session, listing, platform.catalogue),
        errors=errors,
    )


def _versions(session: Session, listing: Listing, catalogue: Catalogue) -> list[VersionView]:
    """Return the latest versions, each with what it changed; the very first changed nothing."""
    kept = repository.find_versions(session, listing.id, limit=SHOWN_VERSIONS + 1)
    before = {later.version: earlier.content for later, earlier in pairwise(kept)}
    return [
        VersionView(
            number=version.version,
            at=version.changed_at.astimezone(LOCAL_ZONE),
            changes=compare(before[version.version], version.content, catalogue) if version.version in before else (),
        )
        for version in kept[:SHOWN_VERSIONS]
    ]
