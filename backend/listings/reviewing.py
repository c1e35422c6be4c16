"""What happens to a listing in other hands than its owner's: published, returned, taken down, or ended by the clock."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account, Role
from backend.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.listings import repository
from backend.listings.moves import Step, move
from backend.listings.tables import Listing, State
from backend.web.forms import refused_character

LONGEST_REASON = 500


def publish_listing(
    session: Session,
    listing_id: UUID,
    *,
    by: Account,
    now: datetime,
    days: int,
    seen_version: int | None = None,
    source: str = "",
) -> Listing:
    """Publish a listing that waits for review; it stays for `days` days."""
    listing = _listing_for_review(session, listing_id, by=by, seen_version=seen_version)
    listing.published_at = now
    listing.expires_at = now + timedelta(days=days)
    move(session, listing, Step(State.PUBLISHED, by, now, source))
    return listing


def return_listing(
    session: Session,
    listing_id: UUID,
    *,
    by: Account,
    now: datetime,
    reason: str,
    seen_version: int | None = None,
    source: str = "",
) -> Listing:
    """Give a listing back to its author with the reason, as written."""
    text = _checked_reason(reason, "退回")
    listing = _listing_for_review(session, listing_id, by=by, seen_version=seen_version)
    move(session, listing, Step(State.RETURNED, by, now, source, text))
    return listing


def take_down(
    session: Session, listing_id: UUID, *, by: Account, now: datetime, reason: str, source: str = ""
) -> Listing:
    """Take a published listing of somebody else off the market, with the reason, as written."""
    text = _checked_reason(reason, "下架")
    listing = _reviewable(session, listing_id, by=by)
    if listing.state is not State.PUBLISHED:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不在发布中。")
    move(session, listing, Step(State.WITHDRAWN, by, now, source, text))
    return listing


def expire_listings(session: Session, *, now: datetime, limit: int = 500) -> int:
    """End published listings whose time is over and return how many."""
    expired = repository.find_expired(session, now=now, limit=limit)
    for listing in expired:
        move(session, listing, Step(State.EXPIRED, None, now))
    return len(expired)


def get_bundle_for_review(session: Session, listing_id: UUID, *, by: Account) -> repository.ListingBundle:
    """Return a listing as reviewers may see it: anything that was ever handed in."""
    if by.role != Role.MODERATOR:
        raise Forbidden("只有审核员可以审核。")
    bundle = repository.find_bundle(session, listing_id)
    if bundle is None or bundle.listing.submitted_at is None:
        raise NotFound("没有这条信息，或者它还没有提交审核。")
    return bundle


def _checked_reason(reason: str, deed: str) -> str:
    text = reason.strip()
    refused = refused_character(text)
    if refused:
        wrong = f"{deed}的理由含有不能保存的{refused}，请删除后再提交。"
    elif not text:
        wrong = f"请写明{deed}的理由，作者会原样看到。"
    elif len(text) > LONGEST_REASON:
        wrong = f"{deed}的理由现有 {len(text)} 个字，请控制在 {LONGEST_REASON} 字以内。"
    else:
        return text
    raise Invalid([FieldError("reason", wrong)], values={"reason": reason})


def _listing_for_review(session: Session, listing_id: UUID, *, by: Account, seen_version: int | None) -> Listing:
    listing = _reviewable(session, listing_id, by=by)
    if listing.state is not State.PENDING:
        raise Conflict(f"这条{listing.kind.label}已不在待审核状态：{listing.state.label}。")
    if seen_version is not None and seen_version != listing.version:
        raise Conflict(
            f"您打开这一页以后，作者又修改了这条{listing.kind.label}，这次没有处理。",
            remedy="请重新打开它，看过新的内容再决定。",
        )
    return listing


def _reviewable(session: Session, listing_id: UUID, *, by: Account) -> Listing:
    """Return a listing that this reviewer may decide on."""
    if by.role != Role.MODERATOR:
        raise Forbidden("只有审核员可以审核。")
    listing = repository.lock(session, listing_id)
    if listing is None:
        raise NotFound("没有这条信息。")
    if listing.owner_id == by.id:
        raise Forbidden("不能审核自己发布的信息，请由另一位审核员处理。")
    return listing
