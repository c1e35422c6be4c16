"""The public figures: what is counted, as tables of numbers. Charts and sentences are drawn from these alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from fastapi import FastAPI
from sqlmodel import Session

from backend.desk.clock import quiet_days
from backend.desk.stages import Stage
from backend.figures import repository
from backend.figures.months import Month, last_months, month_of
from backend.figures.repository import NO_FIELD, ContractTotals, Flow, Measure, Waiting
from backend.figures.sheets import Cell, Column, Sheet, term
from backend.listings import repository as listings
from backend.listings.cards import place_name
from backend.listings.tables import Kind
from backend.policy.catalogue import SEALS, Catalogue
from backend.web.pages import LOCAL_ZONE, build_url

PLACES = tuple(SEALS)
MONTHS_SHOWN = 12
MOST_WAITING = 5000
# An amount is told only of so many contracts together: of fewer, one party could work out the other's.
FEWEST_CONTRACTS = 3
UNSORTED = "未标领域"


class Chart(StrEnum):
    """The charts of the public page, by the name in their address."""

    PLACES = "places"
    GAP = "gap"
    FLOW = "flow"
    FIELDS = "fields"
    FUNNEL = "funnel"
    MONTHS = "months"
    WAITING = "waiting"


@dataclass(frozen=True)
class Question:
    """What a reader asks of the flow: counted by what, since when, in which field."""

    measure: Measure = Measure.CASES
    months: int = 0
    field: str = ""


@dataclass(frozen=True)
class Source:
    """What the figures are made from."""

    session: Session
    catalogue: Catalogue
    app: FastAPI
    now: datetime
    question: Question = Question()

    @cached_property
    def supplies(self) -> "Supplies":
        """Return what is published now, counted once for this answer."""
        counts = listings.count_published_by_province(self.session), repository.count_by_field(self.session)
        return Supplies(*counts)

    @cached_property
    def flows(self) -> Sequence[Flow]:
        """Return the flows that the reader asked for, counted once for this answer."""
        asked = self.question
        since = month_of(self.now).shifted(1 - asked.months) if asked.months else None
        return repository.find_flows(self.session, asked.measure, since=since, field=asked.field)

    @cached_property
    def steps(self) -> "Sequence[Step]":
        """Return how many pairs came how far, from recommendation to registered contract, counted once."""
        furthest = repository.count_pairs_by_furthest_stage(self.session)
        reached = [
            Step("接洽" if stage is Stage.RECOMMENDED else stage.label, _at_least(furthest, stage)) for stage in Stage
        ]
        return [Step("推荐", repository.count_recommended_pairs(self.session)), *reached]

    def place(self, code: str) -> str:
        """Return the short name of a province."""
        return self.catalogue.region(code).short

    def field(self, code: str) -> str:
        """Return the name of a field."""
        return self.catalogue.field(code).name if code else UNSORTED

    def listings(self, kind: Kind, *, region: str = "", field: str = "") -> str:
        """Return the address of the published listings that a number counts."""
        return build_url(self.app, "listings.search", kind=kind.value, region=region, field=field)


@dataclass(frozen=True)
class Supplies:
    """How much is published, by province, kind and field."""

    by_place: Mapping[tuple[str, Kind], int]
    by_field: Mapping[tuple[str, Kind, str], int]

    def of_place(self, place: str, kind: Kind) -> int:
        """Return what one province has of one kind."""
        return self.by_place.get((place, kind), 0)

    def total(self, kind: Kind) -> int:
        """Return what all three have of one kind."""
        return sum(self.of_place(place, kind) for place in PLACES)

    def of_field(self, field: str, kind: Kind, place: str = "") -> int:
        """Return what one field has of one kind, in one province or in all."""
        return sum(self.by_field.get((one, kind, field), 0) for one in ([place] if place else PLACES))

    def gap(self, field: str, place: str = "") -> int:
        """Return by how much a field has more demands than supplies."""
        return self.of_field(field, Kind.DEMAND, place) - self.of_field(field, Kind.SUPPLY, place)

    def fields(self, catalogue: Catalogue) -> list[str]:
        """Return the fields in their order, and none when some listing has none."""
        has_unsorted = any(field == NO_FIELD for _, _, field in self.by_field)
        return [*catalogue.fields, *([NO_FIELD] if has_unsorted else [])]


@dataclass(frozen=True)
class Step:
    """One step of the funnel: so many pairs came at least so far."""

    label: str
    count: int


def _at_least(furthest: Mapping[Stage, int], stage: Stage) -> int:
    return sum(count for other, count in furthest.items() if other.place >= stage.place)


def shown_amount(totals: ContractTotals) -> int | None:
    """Return the sum of all contracts in yuan, unless they are so few that it would tell of single ones."""
    return totals.total_yuan if totals.signed >= FEWEST_CONTRACTS else None


def places_sheet(source: Source) -> Sheet:
    """Return demand and supply by place."""
    counted = source.supplies
    rows = [
        [
            term(source.place(place)),
            *(Cell(counted.of_place(place, kind), source.listings(kind, region=place)) for kind in SIDES),
        ]
        for place in PLACES
    ]
    total = [term("三地合计"), *(Cell(counted.total(kind), source.listings(kind)) for kind in SIDES)]
    return Sheet("三地需求与成果", _columns("地区", "需求", "成果"), [*rows, total])


def gap_sheet(source: Source) -> Sheet:
    """Return demand and supply by field and place; a listing counts in each of its fields."""
    counted = source.supplies
    heads = [f"{source.place(place)}{kind.label}" for place in PLACES for kind in SIDES]
    rows = []
    for field in counted.fields(source.catalogue):
        by_place = [
            Cell(
                counted.of_field(field, kind, place),
                source.listings(kind, region=place, field=field) if field else "",
            )
            for place in PLACES
            for kind in SIDES
        ]
        totals = [Cell(counted.of_field(field, kind)) for kind in SIDES]
        rows.append([term(source.field(field)), *by_place, *totals, Cell(counted.gap(field))])
    return Sheet("各领域需求与成果", _columns("领域", *heads, "需求合计", "成果合计", "需求减成果"), rows)


def flow_sheet(source: Source) -> Sheet:
    """Return who supplies whom, 3 by 3, with sums; darker cells have more."""
    counts = place_matrix(source.flows)
    most = max(counts.values(), default=0)
    rows = []
    for one in PLACES:
        cells = [Cell(counts[one, other], shade=shade_of(counts[one, other], most)) for other in PLACES]
        rows.append([term(source.place(one)), *cells, Cell(sum(counts[one, other] for other in PLACES))])
    sums = [sum(counts[one, other] for one in PLACES) for other in PLACES]
    last = [term("合计"), *map(Cell, sums), Cell(sum(sums))]
    heads = [f"{source.place(place)}需求" for place in PLACES]
    return Sheet("三地流向", _columns("成果来自", *heads, "合计"), [*rows, last])


def place_matrix(flows: Sequence[Flow]) -> dict[tuple[str, str], int]:
    """Add flows up by supply's and demand's province."""
    counts = {(one, other): 0 for one in PLACES for other in PLACES}
    for flow in flows:
        counts[flow.source, flow.target] += flow.count
    return counts


def shade_of(count: int, most: int) -> int:
    """Return how dark a cell is, from 0 for nothing to 4 for the most."""
    return -(-4 * count // most) if most else 0


def fields_sheet(source: Source) -> Sheet:
    """Return the same flows by field: what comes from each place and what goes to each."""
    flows = source.flows
    rows = []
    for field in [*source.catalogue.fields, NO_FIELD]:
        own = [flow for flow in flows if flow.field == field]
        if own:
            given = [Cell(sum(flow.count for flow in own if flow.source == place)) for place in PLACES]
            got = [Cell(sum(flow.count for flow in own if flow.target == place)) for place in PLACES]
            rows.append([term(source.field(field)), *given, *got, Cell(sum(flow.count for flow in own))])
    heads = [f"{source.place(place)}{word}" for word in ("成果", "需求") for place in PLACES]
    return Sheet("各领域流向", _columns("领域", *heads, "合计"), rows)


def funnel_sheet(source: Source) -> Sheet:
    """Return how many pairs came how far, with rates."""
    steps = source.steps
    rows, before = [], steps[0].count
    for step in steps:
        rows.append(
            [
                term(step.label),
                Cell(step.count),
                Cell(percent(step.count, steps[0].count)),
                Cell(percent(step.count, before)),
            ]
        )
        before = step.count
    return Sheet("从推荐到签约", _columns("阶段", "对数", "占推荐的百分比", "占上一步的百分比"), rows)


def percent(part: int, whole: int) -> float:
    """Return a share in percent with one decimal place; 0 of nothing."""
    return round(100 * part / whole, 1) if whole else 0.0


def shown_months(now: datetime) -> tuple[Month, ...]:
    """Return the months that the series show."""
    return last_months(month_of(now), MONTHS_SHOWN)


def months_sheet(source: Source) -> Sheet:
    """Return what was published, taken up and signed in each month."""
    months, session = shown_months(source.now), source.session
    published = repository.count_published_by_month(session, months)
    taken = repository.count_cases_by_month(session, months)
    signed = repository.count_contracts_by_month(session, months)
    rows = [
        [
            Cell(month.code),
            *(Cell(published.get((month.code, place, kind), 0)) for place in PLACES for kind in SIDES),
            Cell(taken.get(month.code, 0)),
            Cell(signed.get(month.code, 0)),
        ]
        for month in months
    ]
    heads = [f"{source.place(place)}{kind.label}" for place in PLACES for kind in SIDES]
    return Sheet("逐月变化", _columns("月份", *heads, "接洽", "签约"), rows)


def waiting_sheet(source: Source, *, limit: int = MOST_WAITING) -> Sheet:
    """Return the needs on record that still wait, longest first."""
    rows = [_waiting_row(source, one) for one in repository.find_waiting(source.session, limit=limit)]
    columns = [
        Column(label, numeric=label.endswith("天数"))
        for label in ("需求", "地区", "领域", "起始日期", "已等天数", "情况")
    ]
    return Sheet("没有得到答复的需求", columns, rows)


def _waiting_row(source: Source, one: Waiting) -> list[Cell]:
    names = [source.field(code) for code in one.fields] or [UNSORTED]
    return [
        Cell(one.listing.title, build_url(source.app, "listings.show", listing_id=one.listing.id)),
        Cell(place_name(source.catalogue, one.listing.region_code)),
        Cell("、".join(names), is_term=len(names) == 1),
        Cell(one.since.astimezone(LOCAL_ZONE).date().isoformat()),
        Cell(quiet_days(one.since, source.now, ())),
        term("接洽后长期没有进展" if one.was_given_up else "没有人接洽"),
    ]


def _columns(first: str, *others: str) -> list[Column]:
    return [Column(first, numeric=False), *(Column(label) for label in others)]


SIDES = (Kind.DEMAND, Kind.SUPPLY)
SHEETS: Mapping[Chart, Callable[[Source], Sheet]] = MappingProxyType(
    {
        Chart.PLACES: places_sheet,
        Chart.GAP: gap_sheet,
        Chart.FLOW: flow_sheet,
        Chart.FIELDS: fields_sheet,
        Chart.FUNNEL: funnel_sheet,
        Chart.MONTHS: months_sheet,
        Chart.WAITING: waiting_sheet,
    }
)
