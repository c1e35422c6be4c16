"""The pages of the desk: what each template may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.desk.decisions import morning_after
from backend.desk.judgements import judged
from backend.desk.tables import DismissalReason, Progress, Recommendation
from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.matching.bridges import Bridge, Pair, bridge_of
from backend.matching.pair_page import BrokenPairPage, PairPage
from backend.platform import Platform
from backend.web.pages import LOCAL_ZONE, Page

Errors = Sequence[tuple[str, str]]
Options = Sequence[tuple[str, str]]
REASONS: Options = tuple((reason.value, reason.label) for reason in DismissalReason)
SNOOZES = (("1", "明天"), ("7", "一周后"), ("14", "两周后"), ("30", "一个月后"))


@dataclass(frozen=True)
class ShownPair:
    """A recommendation that can be shown: both sides published, judged and explained as they are now."""

    row: Recommendation
    pair: Pair
    bridge: Bridge

    @property
    def href(self) -> str:
        """Return the address of the recommendation."""
        return f"/desk/recommendations/{self.row.id}"


@dataclass(frozen=True)
class Remains:
    """What is left of one side: kind, title, state, address."""

    kind: str
    title: str
    state: str
    href: str


@dataclass(frozen=True)
class QueueRow:
    """One line of a list; without a bridge when a side is no longer public."""

    id: UUID
    rank: int
    bridge: Bridge | None
    remains: tuple[Remains, ...]
    why: str
    note: str
    case_href: str = ""


@dataclass(frozen=True)
class QueueTab:
    """One of the four lists, with how many pairs it has."""

    label: str
    href: str
    count: int
    current: bool


@dataclass(frozen=True)
class Done:
    """What was just decided, with the way back."""

    id: UUID
    text: str


@dataclass(frozen=True)
class Help:
    """Something that may help a pair to close: its name and what it does for this pair."""

    name: str
    text: str
    cite: str


@dataclass(frozen=True)
class SimilarPair:
    """A pair like this one, and what became of it."""

    demand: str
    supply: str
    outcome: str


@dataclass(frozen=True)
class QueuePage(Page):
    """A manager's desk."""

    template: ClassVar[str] = "desk/queue.html"

    tab: str
    tabs: Sequence[QueueTab]
    rows: Sequence[QueueRow]
    current: int
    last: int
    base: str
    reasons: Options
    snoozes: Options
    has_profile: bool
    personalised: bool
    colleagues: Options = ()
    open_cases: int = 0
    capacity: int = 0
    is_away: bool = False
    done: Done | None = None
    errors: Errors = ()


@dataclass(frozen=True)
class RecommendationPage(Page):
    """One recommended pair, both sides beside each other; without `pair` when a side is no longer public."""

    template: ClassVar[str] = "desk/recommendation.html"

    id: UUID
    pair: PairPage | None
    remains: tuple[Remains, ...]
    progress: str
    note: str
    why: str
    is_taken_by_other: bool
    case_href: str
    reasons: Options
    snoozes: Options
    colleagues: Options
    helps: Sequence[Help]
    similar: Sequence[SimilarPair]
    errors: Errors = ()


@dataclass(frozen=True)
class AbsenceLine:
    """Days on which a manager is away."""

    id: UUID
    from_on: date
    until_on: date


@dataclass(frozen=True)
class ProfilePage(Page):
    """What a manager cares for."""

    template: ClassVar[str] = "desk/profile.html"

    provinces: Options
    cities: Options
    fields: Options
    industries: Options
    languages: Options
    certifications: Options
    absences: Sequence[AbsenceLine] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    is_new: bool = True
    errors: Errors = ()


@dataclass(frozen=True)
class LessonLine:
    """What was learned of one trait."""

    name: str
    taken: int
    dismissed: int
    effect: str


@dataclass(frozen=True)
class LearningPage(Page):
    """What was learned from a manager's decisions."""

    template: ClassVar[str] = "desk/learning.html"

    lessons: Sequence[LessonLine]
    since: datetime | None
    personalised: bool


def show_pairs(
    session: Session, rows: Sequence[Recommendation], *, manager: Account, platform: Platform
) -> list[ShownPair]:
    """Return those of these recommendations whose listings are both published, as this manager may see them."""
    bundles = listings.load_bundles(session, sorted({one for row in rows for one in (row.supply_id, row.demand_id)}))
    shown = []
    for row in rows:
        demand, supply = bundles[row.demand_id], bundles[row.supply_id]
        if demand.is_visible and supply.is_visible:
            pair = judged(demand, supply, platform=platform)
            bridge = bridge_of(pair, catalogue=platform.catalogue, reader=manager)
            shown.append(ShownPair(row, pair, replace(bridge, href=f"/desk/recommendations/{row.id}")))
    return shown


def remains_of(bundle: ListingBundle) -> Remains:
    """Return what everybody may still know of a listing that was public once."""
    listing = bundle.listing
    return Remains(listing.kind.value, listing.title, listing.state.value, f"/listings/{listing.id}")


def remains_of_pair(page: BrokenPairPage) -> tuple[Remains, ...]:
    """Return what is left of a pair."""
    return tuple(Remains(*side) for side in page.sides)


def note_on(row: Recommendation) -> str:
    """Say what was decided on a pair, and when."""
    day = f"{row.decided_at.astimezone(LOCAL_ZONE):%Y-%m-%d}" if row.decided_at else ""
    if row.progress is Progress.TAKEN:
        return f"{day} 开始接洽"
    if row.progress is Progress.DISMISSED:
        return f"{day} 记为不合适：{row.dismissal.label}" if row.dismissal else f"{day} 记为不合适"
    if row.progress is Progress.HANDED:
        return f"{day} 转派给同事"
    if row.progress is Progress.SNOOZED and row.handed_by_id:
        return row.reason
    if row.progress is Progress.SNOOZED and row.snoozed_until:
        return f"{row.snoozed_until.astimezone(LOCAL_ZONE):%Y-%m-%d} 提醒您再看"
    return ""


def snooze_options(now: datetime) -> Options:
    """Return the days to which a pair can be put off, each with its date."""
    return [(days, f"{label}（{_short_day(morning_after(now, days=int(days)))}）") for days, label in SNOOZES]


def _short_day(moment: datetime) -> str:
    local = moment.astimezone(LOCAL_ZONE)
    return f"{local.month} 月 {local.day} 日"
