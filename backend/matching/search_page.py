"""The page of the list: tabs, facets, chips, orders, rows, and ways on when there is nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from backend.accounts.tables import Account
from backend.listings.tables import Kind, Maturity, Mode
from backend.matching.export import MOST_ROWS
from backend.matching.highlighting import query_terms
from backend.matching.query import LEGENDS, PANEL, Band, Facet, Note, SearchQuery, Sort
from backend.matching.rows import Row, make_rows
from backend.matching.search import SearchResult
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Region
from backend.web.pages import Page

Link = Callable[[SearchQuery], str]
RELAXATIONS = 3
POST_IT = {Kind.DEMAND: "把它发布成一条需求", Kind.SUPPLY: "把它发布成一条成果"}
POST = {Kind.DEMAND: "发布需求", Kind.SUPPLY: "发布成果"}
LIST_FORMATS = ("xlsx", "csv", "json")


@dataclass(frozen=True)
class Option:
    """One value of a facet, with how many listings it would give."""

    value: str
    label: str
    count: int
    checked: bool
    depth: int = 0


@dataclass(frozen=True)
class FacetGroup:
    """One facet of the panel."""

    name: str
    legend: str
    options: tuple[Option, ...]
    is_open: bool


@dataclass(frozen=True)
class Choice:
    """One tab or order: where it leads and whether it holds."""

    label: str
    href: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class Way:
    """One way on from an empty list; `count` says what it gives, when that is known."""

    label: Note
    href: str
    count: int | None = None


@dataclass(frozen=True)
class SearchPage(Page):
    """What the list shows."""

    template: ClassVar[str] = "matching/search.html"
    fragment: ClassVar[str] = "matching/_results.html"

    text: str
    kind: str
    tabs: tuple[Choice, ...]
    facets: tuple[FacetGroup, ...]
    chips: tuple[Choice, ...]
    clear_href: str
    sorts: tuple[Choice, ...]
    keep: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    total: int
    current: int
    last: int
    base: str
    notes: tuple[Note, ...]
    ways: tuple[Way, ...]
    nearest: tuple[Row, ...]
    downloads: tuple[Choice, ...]
    most_downloaded: int
    can_be_saved: bool
    is_saved: bool
    asked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Surroundings:
    """What a page of the list needs besides the result: who reads it, when, and how addresses are written."""

    catalogue: Catalogue
    reader: Account | None
    now: datetime
    link: Link
    post_href: Mapping[Kind, str]
    help_href: str
    download_href: Mapping[str, str] = field(default_factory=dict)
    is_saved: bool = False


def make_search_page(result: SearchResult, notes: Sequence[Note], around: Surroundings) -> SearchPage:
    """Return the page of one search result."""
    query = result.query
    terms = query_terms(query.text)
    rows, nearest = (
        make_rows(bundles, around.catalogue, reader=around.reader, now=around.now, terms=terms)
        for bundles in (result.bundles, result.nearest)
    )
    return SearchPage(
        text=query.text,
        kind=query.kind.value if query.kind else "",
        tabs=_tabs(result, around.link),
        facets=tuple(_facet_group(facet, result, around.catalogue) for facet in PANEL),
        chips=tuple(_chips(query, around)),
        clear_href=around.link(query.unfiltered()),
        sorts=_sorts(query, around.link),
        keep=tuple(_kept(query)),
        rows=rows,
        total=result.total,
        current=query.page,
        last=result.pages,
        base=around.link(replace(query, page=1)),
        notes=(*notes, *result.notes),
        ways=() if result.total else tuple(_ways(result, around)),
        nearest=nearest,
        downloads=tuple(Choice(name, around.download_href[name], current=False) for name in LIST_FORMATS),
        most_downloaded=MOST_ROWS,
        can_be_saved=around.reader is not None and query.asks_something,
        is_saved=around.is_saved,
        asked=tuple(query.pairs()),
    )


def _tabs(result: SearchResult, link: Link) -> tuple[Choice, ...]:
    query, counts = result.query, result.counts.values[Facet.KIND]
    every = Choice("全部", link(query.with_kind(None)), query.kind is None, sum(counts.values()))
    return every, *(
        Choice(kind.label, link(query.with_kind(kind)), kind is query.kind, counts.get(kind.value, 0))
        for kind in (Kind.DEMAND, Kind.SUPPLY)
    )


def _sorts(query: SearchQuery, link: Link) -> tuple[Choice, ...]:
    offered = [sort for sort in Sort if query.text or sort is not Sort.RELEVANCE]
    return tuple(
        Choice(sort.label, link(replace(query, sort=sort, page=1)), current=sort is query.order) for sort in offered
    )


def _kept(query: SearchQuery) -> Iterator[tuple[str, str]]:
    """Yield what the form of the panel sends on besides its own boxes."""
    held = query.unfiltered().parameters()
    for name in ("q", "kind", "sort"):
        value = held.get(name)
        if isinstance(value, str):
            yield name, value


def _chips(query: SearchQuery, around: Surroundings) -> Iterator[Choice]:
    for facet in PANEL:
        for value in query.chosen(facet):
            label = value_label(facet, value, around.catalogue)
            yield Choice(label, around.link(query.without(facet, value)), current=True)


def value_label(facet: Facet, value: str, catalogue: Catalogue) -> str:
    """Return the words for one value of a facet."""
    names: dict[Facet, Callable[[str], str]] = {
        Facet.KIND: lambda code: Kind(code).label,
        Facet.REGION: lambda code: catalogue.region(code).name,
        Facet.PARK: lambda code: catalogue.park(code).name,
        Facet.FIELD: lambda code: catalogue.field(code).name,
        Facet.MATURITY: lambda code: Maturity(code).label,
        Facet.MODE: lambda code: Mode(code).label,
        Facet.MONEY: lambda code: Band(code).label,
    }
    return names[facet](value)


def _facet_group(facet: Facet, result: SearchResult, catalogue: Catalogue) -> FacetGroup:
    chosen = result.query.chosen(facet)
    counts = result.counts.values[facet]
    if facet is Facet.REGION:
        options = tuple(_region_options(chosen, counts, catalogue))
    else:
        offered = _values(facet, catalogue)
        shown = [value for value in offered if facet is not Facet.PARK or counts.get(value) or value in chosen]
        labels = {value: value_label(facet, value, catalogue) for value in shown}
        options = tuple(Option(value, labels[value], counts.get(value, 0), value in chosen) for value in shown)
    is_open = bool(chosen) or facet in {Facet.REGION, Facet.FIELD}
    return FacetGroup(facet.value, LEGENDS[facet], options, is_open)


def _values(facet: Facet, catalogue: Catalogue) -> Sequence[str]:
    if facet is Facet.PARK:
        return tuple(catalogue.parks)
    if facet is Facet.FIELD:
        return tuple(catalogue.fields)
    return tuple({Facet.MATURITY: Maturity, Facet.MODE: Mode, Facet.MONEY: Band}[facet])


def _region_options(chosen: Sequence[str], counts: Mapping[str, int], catalogue: Catalogue) -> Iterator[Option]:
    """Yield the three places, and below a chosen one what lies in it and has listings."""
    totals = region_totals(counts, catalogue)
    opened = {region.code for code in chosen for region in catalogue.path_of(code)}
    provinces = [region for region in catalogue.regions.values() if region.parent is None]

    def below(regions: Sequence[Region], depth: int) -> Iterator[Option]:
        for region in regions:
            count = totals.get(region.code, 0)
            if depth and not count and region.code not in opened:
                continue
            yield Option(region.code, region.name, count, region.code in chosen, depth)
            if region.code in opened:
                yield from below(catalogue.children(region.code), depth + 1)

    yield from below(provinces, 0)


def region_totals(counts: Mapping[str, int], catalogue: Catalogue) -> dict[str, int]:
    """Return how many listings lie in each place, those of the places inside it included."""
    totals: dict[str, int] = {}
    for code, count in counts.items():
        for region in catalogue.path_of(code):
            totals[region.code] = totals.get(region.code, 0) + count
    return totals


def _ways(result: SearchResult, around: Surroundings) -> Iterator[Way]:
    """Yield at least three ways on: looser filters with what they give, the whole list, posting, help."""
    query = result.query
    looser = [(result.counts.without[facet], facet) for facet in query.active if result.counts.without[facet]]
    for count, facet in sorted(looser, key=lambda item: (-item[0], item[1]))[:RELAXATIONS]:
        yield Way(_relaxation(facet), around.link(query.without(facet)), count)
    if not looser and result.unfiltered:
        yield Way(Note("清除全部筛选条件"), around.link(query.unfiltered()), result.unfiltered)
    if query.text or query.filters or query.kind:
        yield Way(Note("浏览全部需求和成果"), around.link(SearchQuery()))
    offered = (Kind.SUPPLY, Kind.DEMAND) if query.kind is Kind.DEMAND else (Kind.DEMAND, Kind.SUPPLY)
    yield Way(Note(POST_IT[offered[0]]), around.post_href[offered[0]])
    if not query.active and not query.text:
        yield Way(Note(POST[offered[1]]), around.post_href[offered[1]])
    yield Way(Note("查看怎样搜索"), around.help_href)


def _relaxation(facet: Facet) -> Note:
    if facet is Facet.KIND:
        return Note("同时查找需求和成果")
    return Note("不限%(facet)s", {"facet": LEGENDS[facet]})
