"""What a digest tells of its reader's saved searches: what is new in them, a few of each, and each listing once."""

from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlencode
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.digests.items import LONGEST_NAME, LONGEST_TITLE, Notice, one_line, shortened
from backend.listings.cards import make_card
from backend.listings.repository import ListingBundle
from backend.matching import repository as matching
from backend.matching import repository_saved, saved_searches
from backend.matching.query import Sort
from backend.matching.service import visible_bundles
from backend.matching.tables import SavedSearch
from backend.platform import Platform

FOUND = "found"
MOST_OF_ONE = 3
MOST_FOUND = 6


def find_new(session: Session, account: Account, *, told: Collection[str], platform: Platform) -> list[Notice]:
    """Return what an account's saved searches found that no digest told of as it stands now."""
    notices: list[Notice] = []
    for saved in repository_saved.find_in_digest(session, account.id):
        if len(notices) >= MOST_FOUND:
            break
        known = {*told, *(notice.key for notice in notices)}
        most = min(MOST_OF_ONE, MOST_FOUND - len(notices))
        fresh = _fresh(session, saved, known, platform=platform)[:most]
        notices += _notices(saved, visible_bundles(session, fresh), account, known, platform=platform)
    return notices


def _fresh(session: Session, saved: SavedSearch, known: Collection[str], *, platform: Platform) -> Sequence[UUID]:
    ids = saved_searches.find_changed(session, saved, platform=platform)
    hashes = matching.find_published_hashes(session, ids)
    return [one for one in ids if one in hashes and _key(one, hashes[one]) not in known]


def _notices(
    saved: SavedSearch,
    bundles: Sequence[ListingBundle],
    account: Account,
    known: Collection[str],
    *,
    platform: Platform,
) -> Iterator[Notice]:
    base = platform.settings.base_url
    query = {**saved.parameters, "sort": Sort.NEWEST.value}
    for bundle in bundles:
        listing, card = bundle.listing, make_card(bundle, platform.catalogue, reader=account)
        was_known = any(key.startswith(_key(listing.id, "")) for key in known)
        is_changed = was_known or (listing.published_at is not None and listing.published_at <= saved.created_at)
        facts = [card.kind.label, card.place, shortened(card.organisation, LONGEST_NAME)]
        yield Notice(
            key=_key(listing.id, listing.content_hash),
            kind=FOUND,
            listing_id=listing.id,
            title=shortened(one_line(card.title), LONGEST_TITLE),
            text="，".join([*filter(None, facts), "内容有变化" if is_changed else "新发布"]),
            href=f"{base}{card.href}",
            search_id=saved.id,
            search=shortened(one_line(saved.name), LONGEST_NAME),
            search_href=f"{base}/listings?{urlencode(query, doseq=True)}",
        )


def _key(listing_id: UUID, content_hash: str) -> str:
    return f"{FOUND}:{listing_id}:{content_hash}"
