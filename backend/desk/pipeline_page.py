"""How the pipeline is put together: a board by stage, a table, or a calendar of next steps."""

import csv
import io
from calendar import Calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from backend.desk import clock, repository, repository_cases
from backend.desk.case_page import ended_text, wan_text
from backend.desk.pages_cases import CalendarDay, CaseCard, Column, PipelinePage, View
from backend.desk.repository_cases import USUAL_CAPACITY, CaseRow
from backend.desk.stages import Stage, plain_moves
from backend.desk.visits import Visit
from backend.listings.cards import place_name
from backend.matching.export import harmless
from backend.web.pages import LOCAL_ZONE, build_url

PER_COLUMN, PER_TABLE, MOST_ROWS = 50, 200, 5000
STALE_DAYS = 14
VIEWS = (("board", "看板"), ("table", "表格"), ("calendar", "日历"), ("ended", "已结束"))
VIEW_CODES = frozenset(code for code, _ in VIEWS)


def make_pipeline_page(visit: Visit, *, view: str, stage: Stage | None, month: date) -> PipelinePage:
    """Return a manager's cases in one of the views."""
    session, manager_id = visit.session, visit.manager.id
    opened = repository_cases.count_cases(session, manager_id, is_open=True)
    ended = sum(repository_cases.count_cases(session, manager_id, is_open=False).values())
    profile = repository.find_profile(session, manager_id)
    total = sum(opened.values())
    cards = _cards(visit, view, stage)
    return PipelinePage(
        view=view,
        views=[_view(visit, code, label, view, total if code == "board" else ended) for code, label in VIEWS],
        columns=_columns(cards, opened) if view == "board" else (),
        cards=cards if view in {"table", "ended"} else (),
        weeks=_weeks(cards, month, visit.now.astimezone(LOCAL_ZONE).date()) if view == "calendar" else (),
        month=f"{month.year} 年 {month.month} 月",
        earlier=_month_url(visit, month - timedelta(days=1)),
        later=_month_url(visit, month + timedelta(days=31)),
        stage=stage.value if stage else "",
        stages=[(one.value, one.label) for one in Stage],
        open_count=total,
        capacity=profile.capacity if profile else USUAL_CAPACITY,
        total=ended if view == "ended" else opened.get(stage, 0) if stage else total,
        shown=len(cards),
    )


def _cards(visit: Visit, view: str, stage: Stage | None) -> list[CaseCard]:
    is_open = view != "ended"
    limit = PER_TABLE if view in {"table", "ended"} else PER_COLUMN * len(Stage)
    wanted = stage if view == "table" else None
    rows = repository_cases.find_cases(visit.session, visit.manager.id, is_open=is_open, stage=wanted, limit=limit)
    spans = [(one.from_on, one.until_on) for one in repository_cases.find_absences(visit.session, visit.manager.id)]
    return [_card(visit, row, spans) for row in rows]


def _card(visit: Visit, row: CaseRow, spans: Sequence[tuple[date, date]]) -> CaseCard:
    case, catalogue = row.case, visit.platform.catalogue
    is_open = case.closed_at is None
    quiet = clock.quiet_days(case.stepped_at, visit.now, spans) if is_open else 0
    today = visit.now.astimezone(LOCAL_ZONE).date()
    return CaseCard(
        id=case.id,
        href=build_url(visit.request.app, "desk.case", case_id=case.id),
        demand=row.demand_title,
        supply=row.supply_title,
        places=f"{place_name(catalogue, row.demand_region)} ← {place_name(catalogue, row.supply_region)}",
        stage=case.stage.value,
        stage_word=case.stage.label,
        quiet_days=quiet,
        is_stale=quiet > STALE_DAYS,
        next_step=case.next_step,
        next_on=case.next_on,
        is_late=is_open and case.next_on is not None and case.next_on < today,
        amount=wan_text(row.total_yuan) if row.total_yuan is not None else "",
        ended=ended_text(case),
        version=case.version,
        moves=[(one.value, one.label) for one in plain_moves(case.stage)] if is_open else [],
    )


def _columns(cards: Sequence[CaseCard], counts: Mapping[Stage, int]) -> list[Column]:
    open_stages = [stage for stage in Stage if stage is not Stage.REGISTERED]
    return [
        Column(
            stage.value,
            stage.label,
            counts.get(stage, 0),
            [card for card in cards if card.stage == stage.value][:PER_COLUMN],
        )
        for stage in open_stages
    ]


def _weeks(cards: Sequence[CaseCard], month: date, today: date) -> list[list[CalendarDay]]:
    return [
        [
            CalendarDay(day, day.month != month.month, day == today, [card for card in cards if card.next_on == day])
            for day in week
        ]
        for week in Calendar().monthdatescalendar(month.year, month.month)
    ]


def _view(visit: Visit, code: str, label: str, current: str, count: int) -> View:
    href = build_url(visit.request.app, "desk.pipeline", view="" if code == "board" else code)
    return View(label, href, code == current, count if code in {"board", "ended"} else None)


def _month_url(visit: Visit, day: date) -> str:
    return build_url(visit.request.app, "desk.pipeline", view="calendar", month=f"{day:%Y-%m}")


def pipeline_as_csv(visit: Visit) -> str:
    """Return all cases of a manager as a table for a spreadsheet; no cell begins a formula."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["需求", "成果", "地点", "阶段", "下一步", "下一步日期", "没有新记录的天数", "成交额", "结束"])
    spans = [(one.from_on, one.until_on) for one in repository_cases.find_absences(visit.session, visit.manager.id)]
    for is_open in (True, False):
        rows = repository_cases.find_cases(visit.session, visit.manager.id, is_open=is_open, limit=MOST_ROWS)
        for card in (_card(visit, row, spans) for row in rows):
            day = card.next_on.isoformat() if card.next_on else ""
            cells = [card.demand, card.supply, card.places, card.stage_word, card.next_step, day]
            table.writerow([harmless(text) for text in [*cells, str(card.quiet_days), card.amount, card.ended]])
    return "\ufeff" + written.getvalue()
