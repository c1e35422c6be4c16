"""The pages of the pipeline: what each template may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from backend.desk.pages import Errors, Options, Remains
from backend.desk.stages import CHOSEN_EXITS
from backend.matching.bridges import Bridge
from backend.matching.pair_page import PairPage
from backend.web.pages import Page

EXITS: Options = tuple((reason.value, reason.label) for reason in CHOSEN_EXITS)
Values = Mapping[str, Any]


@dataclass(frozen=True)
class CaseCard:
    """One case on the board or in the table."""

    id: UUID
    href: str
    demand: str
    supply: str
    places: str
    stage: str
    stage_word: str
    quiet_days: int
    is_stale: bool
    next_step: str
    next_on: date | None
    is_late: bool
    amount: str
    ended: str
    version: int
    moves: Options


@dataclass(frozen=True)
class Column:
    """One stage of the board with its cases and how many there are in all."""

    stage: str
    label: str
    count: int
    cards: Sequence[CaseCard]


@dataclass(frozen=True)
class CalendarDay:
    """One day of the calendar with what is to be done on it."""

    day: date
    is_other_month: bool
    is_today: bool
    cards: Sequence[CaseCard]


@dataclass(frozen=True)
class View:
    """One way of looking at the pipeline."""

    label: str
    href: str
    current: bool
    count: int | None = None


@dataclass(frozen=True)
class PipelinePage(Page):
    """The cases of a manager as a board, a table or a calendar."""

    template: ClassVar[str] = "desk/pipeline.html"

    view: str
    views: Sequence[View]
    columns: Sequence[Column]
    cards: Sequence[CaseCard]
    weeks: Sequence[Sequence[CalendarDay]]
    month: str
    earlier: str
    later: str
    stage: str
    stages: Options
    open_count: int
    capacity: int
    total: int
    shown: int


@dataclass(frozen=True)
class FileLine:
    """One file of a case."""

    id: UUID
    name: str
    size: str
    at: datetime


@dataclass(frozen=True)
class StepLine:
    """One step of a history as a timeline shows it."""

    at: datetime
    title: str
    text: str
    actor: str


@dataclass(frozen=True)
class SideState:
    """What one side says to an introduction, and its contact details once both agreed."""

    kind: str
    label: str
    answer: str
    contact: Options


@dataclass(frozen=True)
class ContractLine:
    """A contract as it is read: pairs of name and value."""

    facts: Options
    is_registered: bool


@dataclass(frozen=True)
class CasePage(Page):
    """A case: where it stands, what is next, what happened, and everything that can be done with it."""

    template: ClassVar[str] = "desk/case.html"

    id: UUID
    version: int
    recommendation_id: UUID | None
    pair: PairPage | None
    remains: tuple[Remains, ...]
    taken_at: datetime
    can_undo: bool
    undo_minutes: int
    stage: str
    stage_word: str
    stages: Sequence[Mapping[str, str]]
    moves: Options
    can_sign: bool
    can_end: bool
    is_open: bool
    ended: str
    quiet_days: int
    next_step: str
    next_on: date | None
    steps: Sequence[StepLine]
    files: Sequence[FileLine]
    accepted: str
    allowed: str
    colleagues: Options
    exits: Options
    introduced_at: datetime | None
    sides: Sequence[SideState]
    contract: ContractLine | None
    contract_kinds: Options
    ip_kinds: Options
    places: Options
    values: Values = field(default_factory=dict)
    errors: Errors = ()


@dataclass(frozen=True)
class IntroductionRow:
    """One introduction in the list of somebody to whom it was sent."""

    href: str
    kind: str
    title: str
    other_kind: str
    other_title: str
    manager: str
    sent_at: datetime
    answer: str
    is_waiting: bool


@dataclass(frozen=True)
class IntroductionsPage(Page):
    """The introductions that were sent to one person."""

    template: ClassVar[str] = "desk/introductions.html"

    rows: Sequence[IntroductionRow]


@dataclass(frozen=True)
class IntroductionPage(Page):
    """One introduction as one side sees it."""

    template: ClassVar[str] = "desk/introduction.html"

    id: UUID
    side: str
    bridge: Bridge | None
    remains: tuple[Remains, ...]
    message: str
    manager: str
    sent_at: datetime
    answer: str
    answer_word: str
    other_answer: str
    is_open: bool
    contact: Options
    shown: str
    own_contact: Options
    errors: Errors = ()
