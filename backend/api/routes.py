"""The REST API under /api/v1: the same services as the pages, with bearer tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.accounts.dependencies import ApiAccount, MaybeApiAccount, Now, PlatformDep, Source
from backend.accounts.tables import Account, Role
from backend.api.schemas import (
    ChangedListing,
    ListingData,
    ListingPage,
    MatchList,
    NewListing,
    Problem,
    RecommendationData,
    RecommendationPage,
)
from backend.database import SessionDep
from backend.desk import repository as desk
from backend.desk.repository import Tab
from backend.errors import Forbidden, NotFound
from backend.listings import repository, service
from backend.listings.cards import make_card
from backend.listings.forms import ListingForm, check_listing
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import service as matching
from backend.matching.data import card_as_data, match_as_data
from backend.matching.query import SearchQuery
from backend.matching.search import search
from backend.platform import Platform

MOST_PAGES = 100_000
LONGEST_QUERY = 200
PER_PAGE = 20
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 422, 503)
}
router = APIRouter(prefix="/api/v1", tags=["v1"], responses=PROBLEMS)
Page = Annotated[int, Query(ge=1, le=MOST_PAGES)]


@router.get("/listings", name="api.list_listings")
def list_listings(
    session: SessionDep,
    platform: PlatformDep,
    account: MaybeApiAccount,
    q: Annotated[str, Query(max_length=LONGEST_QUERY)] = "",
    kind: Kind | None = None,
    page: Page = 1,
) -> ListingPage:
    """List or search published listings."""
    found = search(session, SearchQuery(text=q, kind=kind, page=page), platform)
    results = [_data(bundle, platform, account) for bundle in found.bundles]
    return ListingPage(total=found.total, page=found.query.page, pages=found.pages, results=results)


@router.get("/listings/{listing_id}", name="api.get_listing")
def get_listing(listing_id: UUID, session: SessionDep, platform: PlatformDep, account: MaybeApiAccount) -> ListingData:
    """Return one listing: a published one, or any of one's own."""
    return _data(_visible(session, listing_id, account), platform, account)


@router.post("/listings", name="api.create_listing", status_code=201)
def create_listing(
    body: NewListing, session: SessionDep, platform: PlatformDep, account: ApiAccount, now: Now, source: Source
) -> ListingData:
    """Post a listing; it is reviewed before it is published."""
    form = _form(body, platform, is_draft=not body.submit)
    made = service.create_listing(
        session, form, kind=body.kind, owner=account, now=now, submit=body.submit, source=source
    )
    return _data(_own(session, made.id, account), platform, account)


@router.put("/listings/{listing_id}", name="api.update_listing")
def update_listing(
    listing_id: UUID,
    body: ChangedListing,
    session: SessionDep,
    platform: PlatformDep,
    account: ApiAccount,
    now: Now,
    source: Source,
) -> ListingData:
    """Replace what one's own listing says."""
    before = _own(session, listing_id, account)
    is_draft = not service.must_be_complete(before.listing.state, submit=body.submit)
    form = _form(body, platform, is_draft=is_draft)
    service.update_listing(session, listing_id, form, by=account, now=now, submit=body.submit, source=source)
    return _data(_own(session, listing_id, account), platform, account)


@router.delete("/listings/{listing_id}", name="api.withdraw_listing", status_code=204)
def withdraw_listing(listing_id: UUID, session: SessionDep, account: ApiAccount, now: Now, source: Source) -> Response:
    """Take one's own listing off the market; it can be brought back on the site."""
    service.withdraw_listing(session, listing_id, by=account, now=now, source=source)
    return Response(status_code=204)


@router.get("/listings/{listing_id}/matches", name="api.list_matches")
def list_matches(listing_id: UUID, session: SessionDep, platform: PlatformDep, account: MaybeApiAccount) -> MatchList:
    """Return what answers a listing, best first, with level, reasons and quotes."""
    bundle = _visible(session, listing_id, account)
    found = matching.match_listing(session, bundle, platform=platform)
    return MatchList.model_validate(
        {
            "matches": [match_as_data(match, platform.catalogue, reader=account, of=bundle) for match in found.matches],
            "no_match": not found.matches,
            "nearest": _data(found.nearest, platform, account) if found.nearest else None,
        }
    )


@router.get("/recommendations", name="api.list_recommendations")
def list_recommendations(
    session: SessionDep, platform: PlatformDep, account: ApiAccount, now: Now, page: Page = 1
) -> RecommendationPage:
    """List the pairs recommended to the token's owner, a technology manager."""
    if account.role is not Role.MANAGER:
        raise Forbidden("只有技术经理人有推荐。")
    total = desk.count_tabs(session, account.id, now=now)[Tab.OPEN]
    offset = (page - 1) * PER_PAGE
    rows = desk.find_rows(session, account.id, Tab.OPEN, now=now, limit=PER_PAGE, offset=offset)
    bundles = repository.load_bundles(session, [one for row in rows for one in (row.demand_id, row.supply_id)])
    results = [
        RecommendationData(
            id=row.id,
            progress=row.progress.value,
            level=row.level,
            reason=row.reason,
            made_at=row.made_at,
            demand=_data(bundles[row.demand_id], platform, account),
            supply=_data(bundles[row.supply_id], platform, account),
        )
        for row in rows
    ]
    return RecommendationPage(total=total, page=page, results=results)


def _form(body: ListingForm, platform: Platform, *, is_draft: bool) -> ListingForm:
    """Hold a body to the same rules as the posting form, codes included."""
    values = body.model_dump(exclude={"kind", "submit"}, exclude_unset=True)
    return check_listing(values, catalogue=platform.catalogue, is_draft=is_draft)


def _own(session: SessionDep, listing_id: UUID, account: Account) -> ListingBundle:
    return service.get_own_bundle(session, listing_id, by=account)


def _visible(session: SessionDep, listing_id: UUID, account: Account | None) -> ListingBundle:
    bundle = repository.find_bundle(session, listing_id)
    is_own = account is not None and bundle is not None and bundle.listing.owner_id == account.id
    if bundle is None or not (bundle.is_visible or is_own):
        raise NotFound("没有这条信息，或者它已经下架。")
    return bundle


def _data(bundle: ListingBundle, platform: Platform, account: Account | None) -> ListingData:
    return ListingData.model_validate(card_as_data(make_card(bundle, platform.catalogue, reader=account)))
