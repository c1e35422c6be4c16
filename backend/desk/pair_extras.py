"""What stands beside a recommended pair: what may help it close, and what became of pairs like it."""

from collections.abc import Iterator, Sequence

from backend.desk import repository_cases
from backend.desk.pages import Help, SimilarPair
from backend.desk.tables import Case
from backend.desk.visits import Visit
from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.listings.tables import Maturity
from backend.matching.similar import find_similar
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Park, Use

MOST_PARKS, MOST_SIMILAR = 3, 5
NEEDS_PILOT = frozenset({Maturity.SAMPLE, Maturity.BENCH_TESTED, Maturity.IN_DEVELOPMENT})
BOTH_TEXTS = "两地决定"


def find_helps(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> tuple[Help, ...]:
    """Return the parks, pilot bases and vouchers that concern this pair, each with the article that speaks of it."""
    return tuple(_helps(demand, supply, catalogue))


def _helps(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> Iterator[Help]:
    regions = (demand.listing.region_code, supply.listing.region_code)
    parks = {park.code: park for region in regions for park in _parks_near(region, catalogue)}
    for park in list(parks.values())[:MOST_PARKS]:
        yield Help(park.name, park.description or "可以作为落地的园区", _cite(catalogue, Use.PARK))
    maturity = supply.supply.maturity if supply.supply else None
    if maturity in NEEDS_PILOT:
        text = f"成果{maturity.label}，还没有中试，可以先到概念验证中心或中试基地验证"
        yield Help("概念验证和中试基地", text, _cite(catalogue, Use.PILOT_BASE))
    if demand.demand and demand.demand.hopes_for_voucher:
        text = "需求方希望使用；三地正在推进互认互通，请向双方所在地的科技部门确认能否跨省市使用"
        yield Help("科技创新券", text, _cite(catalogue, Use.VOUCHER))


def _parks_near(region: str, catalogue: Catalogue) -> Sequence[Park]:
    city = catalogue.path_of(region)[:2][-1].code
    return catalogue.parks_of(city)


def _cite(catalogue: Catalogue, use: Use) -> str:
    articles = catalogue.articles_supporting(use)
    return f"{BOTH_TEXTS}第 {articles[0].number} 条" if articles else ""


def find_similar_pairs(visit: Visit, demand: ListingBundle, supply: ListingBundle) -> list[SimilarPair]:
    """Return cases of either side or of what is near to it, with how they stand; never who works on them."""
    near = [demand, supply]
    for side in (demand, supply):
        near += find_similar(visit.session, side, platform=visit.platform)
    own = (supply.id, demand.id)
    cases = repository_cases.find_pair_cases(visit.session, [one.id for one in near], limit=MOST_SIMILAR + 1)
    others = [case for case in cases if (case.supply_id, case.demand_id) != own][:MOST_SIMILAR]
    bundles = listings.load_bundles(visit.session, [one for case in others for one in (case.demand_id, case.supply_id)])
    return [
        SimilarPair(bundles[case.demand_id].listing.title, bundles[case.supply_id].listing.title, outcome_of(case))
        for case in others
    ]


def outcome_of(case: Case) -> str:
    """Say in words what became of a case."""
    if case.exit_reason:
        return f"没有成：{case.exit_reason.label}（到“{case.stage.label}”为止）"
    return "已签约并登记" if case.closed_at else f"进行中：{case.stage.label}"
