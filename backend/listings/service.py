"""The life of a listing in its owner's hands: written, handed in, changed, withdrawn, renewed, ended.

Every change is kept and queues what follows. What reviewers do stands in `reviewing.py`.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account, Organisation
from backend.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.listings import repository
from backend.listings.contents import check_complete, write_content
from backend.listings.forms import ListingForm
from backend.listings.moves import Step, begin, move, note_edit, tell_index
from backend.listings.reviewing import expire_listings, publish_listing, return_listing, take_down
from backend.listings.tables import Kind, Listing, State

__all__ = [
    "close_listing",
    "create_listing",
    "expire_listings",
    "get_own_bundle",
    "is_verified",
    "must_be_complete",
    "publish_listing",
    "renew_listing",
    "return_listing",
    "submit_listing",
    "take_down",
    "update_listing",
    "withdraw_listing",
]

EDITABLE = frozenset({State.DRAFT, State.PENDING, State.RETURNED, State.PUBLISHED, State.WITHDRAWN, State.EXPIRED})
SUBMITTABLE = frozenset({State.DRAFT, State.RETURNED, State.WITHDRAWN, State.EXPIRED})
WITHDRAWABLE = frozenset({State.DRAFT, State.PENDING, State.RETURNED, State.PUBLISHED})
RENEWABLE = frozenset({State.PUBLISHED, State.EXPIRED, State.WITHDRAWN})
# What others read or are about to read may not lose what a listing must have.
ALWAYS_COMPLETE = frozenset({State.PENDING, State.PUBLISHED})


def must_be_complete(state: State | None, *, submit: bool) -> bool:
    """Tell whether a change has to keep the rules of a listing to publish; a new one has no state yet."""
    return submit or state in ALWAYS_COMPLETE


def create_listing(
    session: Session,
    form: ListingForm,
    *,
    kind: Kind,
    owner: Account,
    now: datetime,
    submit: bool,
    source_key: str | None = None,
    source: str = "",
) -> Listing:
    """Keep a new listing as a draft, or hand it in for review."""
    if owner.organisation_id is None:
        raise Forbidden("您的账号还没有所属单位，不能发布。", remedy="请联系管理员登记您的单位。")
    listing = Listing(
        kind=kind,
        owner_id=owner.id,
        organisation_id=owner.organisation_id,
        title=form.title,
        region_code=form.region_code,
        content_hash="",
        source_key=source_key,
        created_at=now,
        updated_at=now,
        version=0,
    )
    session.add(listing)
    session.flush()
    write_content(session, listing, form, by=owner, now=now)
    begin(session, listing, Step(State.PENDING if submit else State.DRAFT, owner, now, source))
    return listing


def find_sent_before(
    session: Session, form: ListingForm, *, kind: Kind, owner: Account, submit: bool
) -> Listing | None:
    """Return what this form already became, when it is sent a second time: by Back, by two clicks, from two tabs."""
    state = State.PENDING if submit else State.DRAFT
    return repository.find_twin(session, owner.id, kind=kind, state=state, content_hash=form.content_hash())


def update_listing(
    session: Session,
    listing_id: UUID,
    form: ListingForm,
    *,
    by: Account,
    now: datetime,
    submit: bool,
    seen_version: int | None = None,
    source: str = "",
) -> Listing:
    """Change what a listing says; `seen_version` is the version that its author was looking at.

    A published listing of a verified organisation stays published; of any other it is reviewed again. One that waits
    for review keeps its place in the queue. Raises: Invalid, when somebody else changed it meanwhile.
    """
    listing = _own_listing(session, listing_id, by=by)
    if listing.state not in EDITABLE:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不能再修改。")
    if seen_version is not None and seen_version != listing.version:
        raise Invalid([FieldError("", "您打开这一页以后，它在别处又改过。请核对下面的内容，再保存一次就以这里为准。")])
    changed = form.content_hash() != listing.content_hash
    if changed:
        write_content(session, listing, form, by=by, now=now)
        note_edit(session, listing, by=by, now=now, source=source)
    if listing.state is State.PUBLISHED:
        if changed and not is_verified(session, listing.organisation_id):
            move(session, listing, Step(State.PENDING, by, now, source))
        else:
            tell_index(session, listing)
    elif submit and listing.state is not State.PENDING:
        move(session, listing, Step(State.PENDING, by, now, source))
    return listing


def submit_listing(session: Session, listing_id: UUID, *, by: Account, now: datetime, source: str = "") -> Listing:
    """Hand a listing in for review as it stands. Raises: Invalid, naming what it still lacks."""
    listing = _own_listing(session, listing_id, by=by)
    if listing.state not in SUBMITTABLE:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不需要再提交。")
    check_complete(session, listing)
    move(session, listing, Step(State.PENDING, by, now, source))
    return listing


def withdraw_listing(session: Session, listing_id: UUID, *, by: Account, now: datetime, source: str = "") -> Listing:
    """Take one's own listing off the market; it can be handed in again."""
    listing = _own_listing(session, listing_id, by=by)
    if listing.state not in WITHDRAWABLE:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不需要再下架。")
    move(session, listing, Step(State.WITHDRAWN, by, now, source))
    return listing


def renew_listing(
    session: Session, listing_id: UUID, *, by: Account, now: datetime, days: int, source: str = ""
) -> Listing:
    """Let a published listing stay longer, or bring back one that expired or was withdrawn; that is reviewed again."""
    listing = _own_listing(session, listing_id, by=by)
    if listing.state not in RENEWABLE:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不能续期。")
    if listing.state is not State.PUBLISHED:
        return submit_listing(session, listing_id, by=by, now=now, source=source)
    listing.expires_at = now + timedelta(days=days)
    move(session, listing, Step(State.PUBLISHED, by, now, source))
    return listing


def close_listing(
    session: Session, listing_id: UUID, *, by: Account, now: datetime, is_matched: bool, source: str = ""
) -> Listing:
    """End a published listing for good, because it found its partner or is no longer needed."""
    listing = _own_listing(session, listing_id, by=by)
    if listing.state is not State.PUBLISHED:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不在发布中。")
    move(session, listing, Step(State.MATCHED if is_matched else State.CLOSED, by, now, source))
    return listing


def get_own_bundle(session: Session, listing_id: UUID, *, by: Account) -> repository.ListingBundle:
    """Return one of the account's own listings; one of others does not exist for it."""
    bundle = repository.find_bundle(session, listing_id)
    if bundle is None or bundle.listing.owner_id != by.id:
        raise NotFound("没有这条信息，或者它不是您发布的。")
    return bundle


def is_verified(session: Session, organisation_id: UUID | None) -> bool:
    """Tell whether an administrator has verified this organisation."""
    organisation = session.get(Organisation, organisation_id) if organisation_id else None
    return organisation is not None and organisation.verified_at is not None


def _own_listing(session: Session, listing_id: UUID, *, by: Account) -> Listing:
    listing = repository.lock(session, listing_id)
    if listing is None or listing.owner_id != by.id:
        raise NotFound("没有这条信息，或者它不是您发布的。")
    return listing
