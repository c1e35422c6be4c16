"""A manager's month, and the month of a team."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from fastapi import FastAPI
from sqlmodel import Session

from backend.accounts.tables import Account, Organisation, Role
from backend.errors import Forbidden
from backend.figures import repository_own
from backend.figures.drawing import Bars, draw_bars
from backend.figures.months import Month, last_months, month_of
from backend.figures.pages import Download, OwnPage, TeamPage, Total
from backend.figures.public_page import wan
from backend.figures.repository_own import Activity
from backend.figures.sheets import Cell, Column, Sheet, Suffix
from backend.web.pages import build_url

MONTHS_SHOWN = 6
# Seven characters of 13 units stand left of the axis.
LONGEST_NAME, NAME_WIDTH = 7, 100
YUAN_PER_WAN = 10_000
HEADS: Mapping[str, str] = {
    "received": "收到推荐",
    "dealt_with": "已处理",
    "taken": "接洽",
    "introduced": "推荐给双方",
    "signed": "签约",
    "total_yuan": "成交额（万元）",
    "technology_yuan": "技术交易额（万元）",
    "registered": "登记",
}


def make_own_page(session: Session, app: FastAPI, manager: Account, month: Month, *, now: datetime) -> OwnPage:
    """Return what a manager did in one month, with the months before."""
    sheet = own_sheet(session, manager, month)
    act = repository_own.find_activity(session, [manager.id], [month]).get((manager.id, month.code), Activity())
    has_team = repository_own.find_service_organisation(session, manager) is not None
    return OwnPage(
        month=month.code,
        earlier=build_url(app, "figures.own", month=month.shifted(-1).code),
        later=_later(app, "figures.own", month, now),
        activity=act,
        totals=_totals(act),
        bars=_taken_bars(sheet.rows),
        sheet=sheet,
        downloads=_downloads(app, "figures.own_file", month),
        team_href=build_url(app, "figures.team", month=month.code) if has_team else "",
    )


def own_sheet(session: Session, manager: Account, month: Month) -> Sheet:
    """Return what a manager did in a month and in those before it, latest first."""
    months = last_months(month, MONTHS_SHOWN)
    found = repository_own.find_activity(session, [manager.id], months)
    rows = [[Cell(one.code), *_cells(found.get((manager.id, one.code), Activity()))] for one in reversed(months)]
    columns = [Column("月份", numeric=False), *(Column(label) for label in HEADS.values())]
    return Sheet("我的月度数字", columns, rows)


def make_team_page(session: Session, app: FastAPI, account: Account, month: Month, *, now: datetime) -> TeamPage:
    """Return what the managers of one's own service organisation did in one month."""
    organisation = team_of(session, account)
    sheet, total = team_sheet(session, organisation, month)
    return TeamPage(
        organisation=organisation.name,
        is_manager=account.role is Role.MANAGER,
        month=month.code,
        earlier=build_url(app, "figures.team", month=month.shifted(-1).code),
        later=_later(app, "figures.team", month, now),
        activity=total,
        totals=_totals(total),
        bars=_taken_bars(sheet.rows[:-1]),
        sheet=sheet,
        downloads=_downloads(app, "figures.team_file", month),
    )


def team_of(session: Session, account: Account) -> Organisation:
    """Return the service organisation whose team an account may see. Raises: Forbidden."""
    organisation = repository_own.find_service_organisation(session, account)
    if organisation is None or account.role not in {Role.MANAGER, Role.MEMBER}:
        raise Forbidden(
            "团队数字只对服务机构自己的技术经理人和会员开放。",
            remedy="如果您属于一家服务机构，请联系管理员把账号归到该机构。",
        )
    return organisation


def team_sheet(session: Session, organisation: Organisation, month: Month) -> tuple[Sheet, Activity]:
    """Return one line for each manager of an organisation and one for all, and what all did together."""
    managers = repository_own.find_managers_of(session, organisation.id)
    ids = [manager.id for manager in managers]
    found = repository_own.find_activity(session, ids, [month])
    opened = repository_own.count_open_cases(session, ids)
    acts = [found.get((manager.id, month.code), Activity()) for manager in managers]
    rows = [
        [Cell(manager.display_name), *_cells(act), Cell(opened.get(manager.id, 0))]
        for manager, act in zip(managers, acts, strict=True)
    ]
    total = _sum(acts)
    last = [Cell("合计", is_term=True), *_cells(total), Cell(sum(opened.values()))]
    heads = ("技术经理人", *HEADS.values(), "正在接洽")
    columns = [Column(label, numeric=number > 0) for number, label in enumerate(heads)]
    return Sheet("团队月度数字", columns, [*rows, last]), total


def _taken_bars(rows: Sequence[Sequence[Cell]]) -> Bars:
    """Draw for each line of a table, a month or a manager, how many cases were taken up; long names are cut."""
    column = 1 + list(HEADS).index("taken")
    names = [str(row[0].value) for row in rows]
    cut = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    counts = [int(row[column].value) for row in rows]
    return draw_bars([("step", name, count) for name, count in zip(cut, counts, strict=True)], left=NAME_WIDTH)


def _sum(acts: Sequence[Activity]) -> Activity:
    return Activity(**{one.name: sum(getattr(act, one.name) for act in acts) for one in fields(Activity)})


def _cells(act: Activity) -> list[Cell]:
    return [Cell(_in_unit(name, getattr(act, name))) for name in HEADS]


def _in_unit(name: str, value: int) -> int | float:
    return value / YUAN_PER_WAN if name.endswith("_yuan") else value


def _totals(act: Activity) -> list[Total]:
    shown = [(label, getattr(act, name)) for name, label in HEADS.items() if not name.endswith("_yuan")]
    return [*(Total(label, f"{count:,}") for label, count in shown), Total("成交额", wan(act.total_yuan), "万元")]


def _later(app: FastAPI, name: str, month: Month, now: datetime) -> str:
    return build_url(app, name, month=month.next.code) if month < month_of(now) else ""


def _downloads(app: FastAPI, name: str, month: Month) -> list[Download]:
    return [Download(one.value.upper(), build_url(app, name, suffix=one, month=month.code)) for one in Suffix]
