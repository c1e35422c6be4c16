"""Facet counts against a plain recount of the same market in Python."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from factories import MONDAY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind, Maturity, Mode, PriceKind, State
from backend.matching.query import YUAN, Band, Facet, SearchQuery, Sort
from backend.matching.search import search
from backend.matching.search_page import region_totals

REGIONS = ("110108", "110112", "120116", "120000", "130200", "130209", "130000", "133100", "131082")
PARKS = (None, "tiankai", "xiongan", "tangshan")
FIELDS = ("computing", "communications", "vehicles", "brain", "biopharma", "tcm")
AMOUNTS = ((0, 0), (30, 50), (50, 50), (50, 200), (None, 80), (900, None), (1000, 1001), (200, 1000))
MARKET = 60


@pytest.fixture
def market(session, publish) -> list[ListingBundle]:
    """Give a market of sixty listings of every colour, some of them no longer public."""
    chance = random.Random(20261122)
    for number in range(MARKET):
        kind = chance.choice(list(Kind))
        low, high = chance.choice(AMOUNTS)
        maturity = chance.choice([None, *Maturity])
        publish(
            f"第{number}条：{chance.choice(('电池', '脑电', '中药', '芯片'))}技术",
            kind=kind,
            encoder=None,
            state=chance.choice([State.PUBLISHED, State.PUBLISHED, State.PUBLISHED, State.WITHDRAWN, State.PENDING]),
            region_code=chance.choice(REGIONS),
            park_code=chance.choice(PARKS),
            fields=chance.sample(FIELDS, chance.randint(0, 3)),
            modes=chance.sample(list(Mode), chance.randint(0, 3)),
            price_kind=chance.choice([PriceKind.RANGE, PriceKind.RANGE, PriceKind.NEGOTIABLE, PriceKind.UNKNOWN]),
            price_low=low,
            price_high=high,
            **{"maturity" if kind is Kind.SUPPLY else "needs_maturity": maturity},
        )
    ids = listings.find_published_ids(session)
    return list(listings.load_bundles(session, ids).values())


def values_of(bundle: ListingBundle, facet: Facet) -> set[str]:
    listing = bundle.listing
    detail = bundle.supply.maturity if bundle.supply else bundle.demand.needs_maturity
    return {
        Facet.KIND: {listing.kind.value},
        Facet.PARK: {listing.park_code} - {None},
        Facet.FIELD: set(bundle.fields),
        Facet.MATURITY: {detail.value} if detail else set(),
        Facet.MODE: {mode.value for mode in bundle.modes},
        Facet.MONEY: bands_of(bundle),
        Facet.REGION: {listing.region_code},
    }[facet]


def bands_of(bundle: ListingBundle) -> set[str]:
    listing = bundle.listing
    if listing.price_kind is not PriceKind.RANGE:
        return {Band.UNSTATED.value}
    low = listing.price_low or 0
    high = listing.price_high if listing.price_high is not None else float("inf")
    edges = ((-1, 50), (50, 200), (200, 1000), (1000, float("inf")))
    touched = [above * YUAN < high and low <= up_to * YUAN for above, up_to in edges]
    return {band.value for band, hit in zip(Band, touched, strict=False) if hit}


def places_meant(catalogue, chosen: Sequence[str]) -> set[str]:
    inner = [code for code in chosen if not any(o != code and catalogue.contains(code, o) for o in chosen)]
    return {code for code in catalogue.regions if any(catalogue.contains(one, code) for one in inner)}


def passes(bundle: ListingBundle, query: SearchQuery, catalogue, *, but: Facet | None = None) -> bool:
    for facet in Facet:
        chosen = query.chosen(facet)
        if facet is but or not chosen:
            continue
        wanted = places_meant(catalogue, chosen) if facet is Facet.REGION else set(chosen)
        if not values_of(bundle, facet) & wanted:
            return False
    return True


def some(values: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple))


queries = st.builds(
    lambda kind, filters: SearchQuery(kind=kind, filters={key: value for key, value in filters.items() if value}),
    st.sampled_from([None, *Kind]),
    st.fixed_dictionaries(
        {
            Facet.REGION: some(REGIONS),
            Facet.PARK: some(("tiankai", "xiongan", "tangshan", "wuqing")),
            Facet.FIELD: some(FIELDS),
            Facet.MATURITY: some([maturity.value for maturity in Maturity]),
            Facet.MODE: some([mode.value for mode in Mode]),
            Facet.MONEY: some([band.value for band in Band]),
        }
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(query=queries)
def test_every_facet_is_counted_under_all_the_others_but_itself(query, market, session, platform):
    catalogue = platform.catalogue

    result = search(session, query, platform)

    assert result.total == sum(passes(bundle, query, catalogue) for bundle in market)
    for facet in Facet:
        rest = [bundle for bundle in market if passes(bundle, query, catalogue, but=facet)]
        assert result.counts.without[facet] == len(rest)
        expected: dict[str, int] = {}
        for bundle in rest:
            for value in values_of(bundle, facet):
                expected[value] = expected.get(value, 0) + 1
        assert {value: count for value, count in result.counts.values[facet].items() if count} == expected


def test_a_place_counts_what_lies_in_the_places_inside_it(market, session, platform):
    counts = search(session, SearchQuery(), platform).counts.values[Facet.REGION]

    totals = region_totals(counts, platform.catalogue)

    hebei = [b for b in market if platform.catalogue.contains("130000", b.listing.region_code)]
    tangshan = [b for b in market if platform.catalogue.contains("130200", b.listing.region_code)]
    assert totals["130000"] == len(hebei)
    assert totals["130200"] == len(tangshan)


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.DEADLINE, Sort.MONEY])
def test_pages_of_the_list_are_disjoint_and_complete(market, session, platform, sort):
    shown = []
    for page in range(1, 10):
        result = search(session, SearchQuery(sort=sort, page=page), platform)
        if result.query.page < page:
            break
        shown += [bundle.id for bundle in result.bundles]

    assert len(shown) == len(set(shown))
    assert set(shown) == {bundle.id for bundle in market}


def test_the_deadline_order_begins_with_the_nearest_that_is_still_ahead(session, platform, publish):
    today = MONDAY.date()
    for title, days in (("很远的截止", 90), ("已过的截止", -3), ("最近的截止", 2), ("没有的截止", None)):
        publish(title, deadline_on=None if days is None else today + timedelta(days=days))

    result = search(session, SearchQuery(sort=Sort.DEADLINE), platform)

    assert [bundle.listing.title[:2] for bundle in result.bundles] == ["最近", "很远", "没有", "已过"]
