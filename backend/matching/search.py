"""Search: what the words find in the index, narrowed and counted by the database, one page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import repository_search
from backend.matching.finding import MOST_ALTERNATIVES, Found, find_by_words
from backend.matching.query import Facet, Note, SearchQuery, Sort, regions_within
from backend.matching.repository_search import FacetCounts, ListFilter
from backend.matching.service import visible_bundles
from backend.platform import Platform
from backend.policy.catalogue import Catalogue
from backend.web.pages import LOCAL_ZONE
from models.expansion import alternatives
from models.text import normalise, tokens
from models.thesaurus import shipped

PER_PAGE = 20
SHOWN_NEAREST = 5


@dataclass(frozen=True)
class SearchResult:
    """One page of the list with the counts of every facet. `query` has the page that is really shown."""

    query: SearchQuery
    bundles: tuple[ListingBundle, ...]
    counts: FacetCounts
    pages: int
    nearest: tuple[ListingBundle, ...]
    """When the list is empty: what comes nearest in meaning, whatever the filters say."""
    unfiltered: int
    """When the list is empty: how many there are for the same words and kind without any filter."""
    notes: tuple[Note, ...]

    @property
    def total(self) -> int:
        """Return how many listings the list has."""
        return self.counts.total


def search(session: Session, query: SearchQuery, platform: Platform) -> SearchResult:
    """Return the page of published listings that a query asks for; a page beyond the end is the last one."""
    query, notes = _searchable(query)
    found = find_by_words(session, query.text, platform) if query.text else None
    where = list_filter(query, platform.catalogue, found)
    counts = repository_search.count_facets(session, where)
    pages = max(1, -(-counts.total // PER_PAGE))
    query = replace(query, page=min(query.page, pages))
    ids = _page_of_ids(session, query, where, found, platform, limit=PER_PAGE) if counts.total else []
    bundles = listings.load_bundles(session, ids)
    return SearchResult(
        query=query,
        bundles=tuple(bundles[listing_id] for listing_id in ids if listing_id in bundles),
        counts=counts,
        pages=pages,
        nearest=_nearest(session, query, found) if found and not counts.total else (),
        unfiltered=_count_unfiltered(session, query, platform, found) if query.filters and not counts.total else 0,
        notes=notes,
    )


def find_by_text(session: Session, text: str, *, kind: Kind | None, platform: Platform) -> list[ListingBundle]:
    """Return the published listings that words find, best first."""
    visible = visible_bundles(session, find_by_words(session, text, platform).ids)
    return [bundle for bundle in visible if kind in {None, bundle.listing.kind}]


def find_all_ids(session: Session, query: SearchQuery, platform: Platform, *, limit: int) -> Sequence[UUID]:
    """Return the ids of the whole list of a query in its order, at most `limit`."""
    query, _ = _searchable(query)
    found = find_by_words(session, query.text, platform) if query.text else None
    where = list_filter(query, platform.catalogue, found)
    return _page_of_ids(session, replace(query, page=1), where, found, platform, limit=limit)


def find_changed_ids(
    session: Session, query: SearchQuery, platform: Platform, *, after: datetime, not_owned_by: UUID, limit: int
) -> Sequence[UUID]:
    """Return what a query finds of other people's that was published or changed after a moment, newest first."""
    query, _ = _searchable(query)
    found = find_by_words(session, query.text, platform) if query.text else None
    where = replace(list_filter(query, platform.catalogue, found), changed_after=after, not_owned_by=not_owned_by)
    today = platform.clock().astimezone(LOCAL_ZONE).date()
    return repository_search.find_ids(session, where, sort=Sort.NEWEST, today=today, limit=limit)


def list_filter(query: SearchQuery, catalogue: Catalogue, found: Found | None) -> ListFilter:
    """Return what the database is asked for a query: places spelled out, and the ids that the words found."""
    chosen = dict(query.filters)
    if Facet.REGION in chosen:
        chosen[Facet.REGION] = tuple(sorted(regions_within(catalogue, chosen[Facet.REGION])))
    return ListFilter(query.kind, chosen, found.ids if found else None)


def _searchable(query: SearchQuery) -> tuple[SearchQuery, tuple[Note, ...]]:
    """Return the query without words that say nothing, and a note of what was done to the words."""
    if not query.text:
        return query, ()
    if not tokens(query.text):
        return replace(query, text=""), (Note("“%(text)s”里没有可以查找的字词，下面是全部。", {"text": query.text}),)
    return query, (*_spelling(query.text), *_other_names(query.text))


def _spelling(text: str) -> Iterator[Note]:
    plain = normalise(text)
    if plain != " ".join(text.split()):
        yield Note("已按“%(text)s”查找，繁体、简体和同义的写法都算在内。", {"text": plain})


def _other_names(text: str) -> Iterator[Note]:
    names = dict.fromkeys(other.name for other in alternatives(text, shipped())[:MOST_ALTERNATIVES])
    if names:
        yield Note("也查找了意思相同的说法：%(names)s。", {"names": "、".join(names)})


def _page_of_ids(
    session: Session, query: SearchQuery, where: ListFilter, found: Found | None, platform: Platform, *, limit: int
) -> Sequence[UUID]:
    offset = (query.page - 1) * limit
    today = platform.clock().astimezone(LOCAL_ZONE).date()
    if found is None or query.order is not Sort.RELEVANCE:
        return repository_search.find_ids(session, where, sort=query.order, today=today, limit=limit, offset=offset)
    passing = set(
        repository_search.find_ids(session, where, sort=Sort.NEWEST, today=today, limit=max(len(found.ids), 1))
    )
    return [listing_id for listing_id in found.ids if listing_id in passing][offset : offset + limit]


def _nearest(session: Session, query: SearchQuery, found: Found) -> tuple[ListingBundle, ...]:
    visible = visible_bundles(session, found.near)
    fitting = [bundle for bundle in visible if query.kind in {None, bundle.listing.kind}]
    return tuple(fitting[:SHOWN_NEAREST])


def _count_unfiltered(session: Session, query: SearchQuery, platform: Platform, found: Found | None) -> int:
    where = list_filter(query.unfiltered(), platform.catalogue, found)
    return repository_search.count_facets(session, where).total
