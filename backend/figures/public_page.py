"""How the public page of figures is put together: every chart from the same numbers as its table."""

from collections.abc import Sequence

from backend.figures import repository
from backend.figures.drawing import Bars, draw_bars, draw_gaps, draw_line, draw_sankey
from backend.figures.findings import (
    Finding,
    find_in_fields,
    find_in_flow,
    find_in_funnel,
    find_in_gap,
    find_in_months,
    find_in_places,
    find_in_waiting,
)
from backend.figures.pages import Download, Figure, GapPanel, MonthPanel, Options, PublicPage, Total
from backend.figures.repository import Measure
from backend.figures.service import (
    FEWEST_CONTRACTS,
    PLACES,
    SHEETS,
    SIDES,
    Chart,
    Source,
    Supplies,
    shown_amount,
    shown_months,
    waiting_sheet,
)
from backend.figures.sheets import Sheet, Suffix
from backend.listings.tables import Kind
from backend.web.pages import build_url

SHOWN_WAITING = 8
MEASURES: Options = ((Measure.CASES.value, "接洽"), (Measure.CONTRACTS.value, "签约"))
PERIODS: Options = (("", "开通以来"), ("12", "近 12 个月"), ("3", "近 3 个月"))
YUAN_PER_WAN = 10_000


def make_public_page(source: Source) -> PublicPage:
    """Return the whole page."""
    session, asked = source.session, source.question
    counted, flows, steps = source.supplies, source.flows, source.steps
    fields = counted.fields(source.catalogue)
    months = SHEETS[Chart.MONTHS](source)
    panels, most = _month_panels(months)
    waiting, waiting_count = waiting_sheet(source, limit=SHOWN_WAITING), repository.count_waiting(session)
    longest = int(waiting.rows[0][4].value) if waiting.rows else 0
    shown = shown_months(source.now)
    return PublicPage(
        totals=_totals(source, counted),
        measures=MEASURES,
        measure=asked.measure.value,
        periods=PERIODS,
        period=str(asked.months or ""),
        fields=[(code, field.name) for code, field in source.catalogue.fields.items()],
        field=asked.field,
        places=_figure(source, Chart.PLACES, find_in_places(counted)),
        place_bars=_place_bars(source, counted),
        gap=_figure(source, Chart.GAP, find_in_gap(counted, fields)),
        gap_panels=_gap_panels(counted, fields),
        flow=_figure(source, Chart.FLOW, find_in_flow(flows, asked.measure), is_empty=not flows),
        by_field=_figure(source, Chart.FIELDS, find_in_fields(flows, asked.measure), is_empty=not flows),
        sankey=draw_sankey(flows, PLACES),
        funnel=_figure(source, Chart.FUNNEL, find_in_funnel(steps), is_empty=not steps[0].count),
        funnel_bars=draw_bars([("step", step.label, step.count) for step in steps], left=76),
        months=_figure(source, Chart.MONTHS, find_in_months(months), sheet=months),
        month_panels=panels,
        month_most=most,
        first_month=shown[0].code,
        last_month=shown[-1].code,
        waiting=_figure(
            source,
            Chart.WAITING,
            find_in_waiting(waiting_count, longest),
            sheet=waiting,
            is_empty=not waiting.rows,
        ),
        waiting_count=waiting_count,
        on_record=repository.count_on_record(session),
        fewest_contracts=FEWEST_CONTRACTS,
    )


def _figure(
    source: Source, chart: Chart, finding: Finding, *, sheet: Sheet | None = None, is_empty: bool = False
) -> Figure:
    return Figure(
        code=chart.value,
        finding=finding,
        sheet=sheet or SHEETS[chart](source),
        downloads=_downloads(source, chart),
        is_empty=is_empty,
    )


def _downloads(source: Source, chart: Chart) -> list[Download]:
    asked = source.question
    choice = (
        {"measure": asked.measure.value, "months": asked.months or "", "field": asked.field}
        if chart in {Chart.FLOW, Chart.FIELDS}
        else {}
    )
    return [
        Download(suffix.value.upper(), build_url(source.app, "figures.download", chart=chart, suffix=suffix, **choice))
        for suffix in Suffix
    ]


def _totals(source: Source, counted: Supplies) -> list[Total]:
    contracts = repository.sum_contracts(source.session)
    taken = repository.count_cases(source.session)
    amount = shown_amount(contracts)
    numbers = [
        ("现在的需求", counted.total(Kind.DEMAND)),
        ("现在的成果", counted.total(Kind.SUPPLY)),
        ("接洽", taken),
        ("签约", contracts.signed),
        ("其中跨省市", contracts.crossing),
        ("已登记", contracts.registered),
    ]
    told = [Total("成交额", wan(amount), "万元")] if amount is not None else []
    return [*(Total(label, f"{count:,}") for label, count in numbers), *told]


def wan(yuan: int) -> str:
    """Return an amount in 万元 without its unit: 1,234.5."""
    return f"{yuan / YUAN_PER_WAN:,.4f}".rstrip("0").rstrip(".")


def _place_bars(source: Source, counted: Supplies) -> Bars:
    rows = [(kind.value, source.place(place), counted.of_place(place, kind)) for place in PLACES for kind in SIDES]
    return draw_bars(rows, left=88)


def _gap_panels(counted: Supplies, fields: Sequence[str]) -> list[GapPanel]:
    most = max((abs(counted.gap(field, place)) for field in fields for place in PLACES), default=0)
    return [
        GapPanel(place, draw_gaps([(field, counted.gap(field, place)) for field in fields], most=most))
        for place in PLACES
    ]


def _month_panels(months: Sheet) -> tuple[list[MonthPanel], int]:
    """Return the lines of each place, all on the scale of the highest."""
    columns = list(zip(*(row[1:-2] for row in months.rows), strict=True))
    counts = [[int(cell.value) for cell in column] for column in columns]
    most = max((max(column) for column in counts), default=0)
    lines = [draw_line(SIDES[number % 2].value, column, most=most) for number, column in enumerate(counts)]
    return [MonthPanel(place, lines[2 * number : 2 * number + 2]) for number, place in enumerate(PLACES)], most
