"""A manager's month and a team's: who did what and when, whoever owns the case now."""

import re
from datetime import date, timedelta

import pytest
from factories import MONDAY, make_account, make_organisation
from markets import introduce_case, make_sides, recommend_pair, sign_case, take_pair

from backend.accounts.tables import Account, OrganisationKind, Role
from backend.desk import cases, decisions
from backend.desk.cases import Deed
from backend.desk.tables import DismissalReason
from backend.figures.months import Month, last_months, month_of, read_month


@pytest.fixture
def centre(session):
    return make_organisation(session, kind=OrganisationKind.SERVICE, name="测试服务中心")


@pytest.fixture
def manager(session, client, centre) -> Account:
    manager = make_account(session, role=Role.MANAGER, organisation_id=centre.id, display_name="甲经理")
    session.commit()
    client.sign_in(manager)
    return manager


def numbers(page: str) -> list[str]:
    return re.findall(r'stats-value num">([^<]*)<', page)


def file_rows(client, address: str) -> list[list[str]]:
    return [line.split(",") for line in client.get(address).content.decode("utf-8-sig").splitlines()]


def bars_of(page: str) -> list[tuple[str, str]]:
    """Return the label and the number of every bar."""
    return re.findall(r'<text class="end"[^>]*>([^<]*)</text><rect[^>]*/><text[^>]*>([^<]*)</text>', page)


def test_my_month_counts_what_i_did_in_it_and_keeps_it_after_a_hand_over(client, session, centre, manager):
    heir = make_account(session, role=Role.MANAGER, organisation_id=centre.id)
    taken, given = take_pair(session, manager), take_pair(session, manager)
    take_pair(session, manager, at=MONDAY - timedelta(days=40))
    introduce_case(session, taken)
    refused = recommend_pair(session, manager, make_sides(session))
    decisions.dismiss(session, refused.id, by=manager, reason=DismissalReason.MONEY, now=MONDAY)
    recommend_pair(session, manager, make_sides(session))
    sign_case(session, taken, on=date(2026, 11, 20), yuan=1_500_000)
    cases.hand_over(session, given.id, to=heir.id, deed=Deed(manager, MONDAY))
    session.commit()

    page = client.get("/figures/mine").text

    assert numbers(page) == ["4", "3", "2", "1", "1", "0", "150"]
    assert bars_of(page)[:2] == [("2026-11", "2"), ("2026-10", "1")]
    assert "2026-11 处理 3 条推荐，接洽 2 次，签约 1 份" in page
    rows = file_rows(client, "/figures/mine/file.csv")
    assert rows[1] == ["2026-11", "4", "3", "2", "1", "1", "150.0", "75.0", "0"]
    assert rows[2] == ["2026-10", "1", "1", "1", "0", "0", "0.0", "0.0", "0"]


def test_another_month_is_one_click_away_and_none_lies_in_the_future(client, manager):
    present = client.get("/figures/mine").text
    before = client.get("/figures/mine?month=2026-10").text
    beyond = client.get("/figures/mine?month=2031-01").text

    assert "/figures/mine?month=2026-10" in present
    assert "下个月" not in present
    assert "/figures/mine?month=2026-11" in before
    assert "2026-10 没有处理、接洽和签约" in before
    assert "2026-11 没有处理、接洽和签约" in beyond


def test_the_team_view_has_one_line_a_manager_and_a_sum(client, session, centre, manager):
    second = make_account(session, role=Role.MANAGER, organisation_id=centre.id, display_name="乙占 50% 经理")
    make_account(session, role=Role.MANAGER, organisation_id=centre.id, suspended_at=MONDAY, display_name="停用经理")
    stranger = make_account(session, role=Role.MANAGER, display_name="外单位经理")
    for who in (manager, second, second, stranger):
        take_pair(session, who)
    session.commit()

    page = client.get("/figures/team").text
    rows = file_rows(client, "/figures/team/file.csv")

    assert [[row[0], row[3], row[-1]] for row in rows[1:]] == [
        ["乙占 50% 经理", "2", "2"],
        ["甲经理", "1", "1"],
        ["合计", "3", "3"],
    ]
    assert bars_of(page) == [("乙占 50%…", "2"), ("甲经理", "1")]
    assert "测试服务中心的技术经理人" in page
    assert "外单位经理" not in page
    assert "停用经理" not in page


def test_a_member_of_the_service_organisation_sees_the_team_too(client, session, centre, manager):
    client.sign_in(make_account(session, role=Role.MEMBER, organisation_id=centre.id))

    assert "甲经理" in client.get("/figures/team").text
    assert client.get("/figures/mine").status_code == 403


@pytest.mark.parametrize("address", ["/figures/team", "/figures/team/file.csv"])
def test_nobody_else_sees_a_team(client, session, centre, manager, address):
    company = make_account(session, role=Role.MEMBER)
    alone = make_account(session, role=Role.MANAGER)
    inspector = make_account(session, role=Role.AUDITOR, organisation_id=centre.id)

    for account in (company, alone, inspector):
        client.sign_in(account)
        answer = client.get(address)
        assert answer.status_code == 403
        assert "只对服务机构自己的技术经理人和会员开放" in answer.text
        assert "甲经理" not in answer.text


@pytest.mark.parametrize("address", ["/figures/mine", "/figures/mine/file.xlsx", "/figures/team"])
def test_a_visitor_is_asked_to_sign_in(client, address):
    answer = client.get(address)

    assert "/login" in str(answer.url)


def test_months_are_counted_and_read_as_people_write_them():
    assert month_of(MONDAY.replace(day=1, hour=15) - timedelta(days=1)) == Month(2026, 10)
    assert month_of(MONDAY.replace(month=10, day=31, hour=16)) == Month(2026, 11)
    assert [month.code for month in last_months(Month(2026, 2), 3)] == ["2025-12", "2026-01", "2026-02"]
    assert Month(2026, 12).next == Month(2027, 1)
    assert read_month("2026-13", MONDAY) == read_month("2026-1", MONDAY) == read_month("", MONDAY) == Month(2026, 11)
