"""What the templates of the figures may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from backend.figures.drawing import Bars, Line, Sankey
from backend.figures.findings import Finding
from backend.figures.repository_own import Activity
from backend.figures.sheets import Sheet
from backend.web.pages import Page

Options = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Download:
    """Where a table can be had as a file."""

    label: str
    href: str


@dataclass(frozen=True)
class Figure:
    """One chart without its drawing: what it says, the numbers, and where to have them."""

    code: str
    finding: Finding
    sheet: Sheet
    downloads: Sequence[Download]
    is_empty: bool = False


@dataclass(frozen=True)
class GapPanel:
    """The gaps of one place."""

    place: str
    bars: Bars


@dataclass(frozen=True)
class MonthPanel:
    """The course of one place over the months."""

    place: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Total:
    """One number at the head of the page."""

    label: str
    value: str
    unit: str = ""


@dataclass(frozen=True)
class PublicPage(Page):
    """The figures of the platform, for everybody."""

    template: ClassVar[str] = "figures/public.html"

    totals: Sequence[Total]
    measures: Options
    measure: str
    periods: Options
    period: str
    fields: Options
    field: str
    places: Figure
    place_bars: Bars
    gap: Figure
    gap_panels: Sequence[GapPanel]
    flow: Figure
    by_field: Figure
    sankey: Sankey
    funnel: Figure
    funnel_bars: Bars
    months: Figure
    month_panels: Sequence[MonthPanel]
    month_most: int
    first_month: str
    last_month: str
    waiting: Figure
    waiting_count: int
    on_record: int
    fewest_contracts: int


@dataclass(frozen=True)
class OwnPage(Page):
    """A manager's month."""

    template: ClassVar[str] = "figures/own.html"

    month: str
    earlier: str
    later: str
    activity: Activity
    totals: Sequence[Total]
    bars: Bars
    sheet: Sheet
    downloads: Sequence[Download]
    team_href: str


@dataclass(frozen=True)
class TeamPage(Page):
    """The month of all managers of a service organisation."""

    template: ClassVar[str] = "figures/team.html"

    organisation: str
    is_manager: bool
    month: str
    earlier: str
    later: str
    activity: Activity
    totals: Sequence[Total]
    bars: Bars
    sheet: Sheet
    downloads: Sequence[Download]
