"""The public figures: every number on the page and in the files is the one that the tables give."""

import csv
import io
import re
from collections import Counter
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from factories import MONDAY, make_account, make_listing
from markets import make_sides, recommend_pair, sign_case, take_pair
from openpyxl import load_workbook

from backend.accounts.tables import Account, Role
from backend.desk import cases, clock, decisions
from backend.desk.cases import Deed
from backend.desk.stages import Exit, Stage
from backend.figures.service import Chart
from backend.listings.tables import Kind, State

PLACES = {"110000": "北京", "120000": "天津", "130000": "河北"}


def table(page: str, section: str) -> list[list[str]]:
    """Return the cells of the table of a section, as people read them."""
    part = page[page.index(f'id="{section}"') :]
    part = part[part.index("<table") : part.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def csv_rows(client, chart: str, query: str = "") -> list[list[str]]:
    answer = client.get(f"/figures/{chart}.csv{query}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def xlsx_rows(client, chart: str) -> list[list[str]]:
    sheet = load_workbook(io.BytesIO(client.get(f"/figures/{chart}.xlsx").content)).active
    return [[("" if cell is None else f"{cell:.10g}" if isinstance(cell, float) else str(cell)) for cell in row]
            for row in sheet.iter_rows(values_only=True)]  # fmt: skip


def ask(session, query: str) -> list[tuple]:
    return [tuple(row) for row in session.connection().execute(sa.text(query))]


@pytest.fixture
def market(session):
    """A market of all three places, with drafts and withdrawn listings that must not count."""
    cases = [
        take_pair(session, supply="110108", demand="130200", fields=["tcm", "biopharma"]),
        take_pair(session, supply="110108", demand="130200", fields=["tcm"]),
        take_pair(session, supply="120101", demand="110105", fields=["brain"]),
        take_pair(session, supply="130200", demand="130100", fields=[]),
    ]
    for state in (State.DRAFT, State.PENDING, State.WITHDRAWN):
        make_listing(session, kind=Kind.DEMAND, state=state, region_code="110108", fields=["tcm"])
    make_listing(session, kind=Kind.SUPPLY, region_code="120102", fields=["computing"])
    session.commit()
    return cases


def test_supply_and_demand_by_place_are_what_the_tables_hold(client, session, market):
    held = ask(
        session,
        "SELECT substr(region_code, 1, 2), kind, count(*) FROM listing WHERE state = 'published' GROUP BY 1, 2",
    )
    count = {(code, kind): number for code, kind, number in held}

    rows = table(client.get("/figures").text, "places")

    expected = [[name, *(str(count.get((code[:2], kind), 0)) for kind in ("demand", "supply"))]
                for code, name in PLACES.items()]  # fmt: skip
    assert rows[1:4] == expected
    assert rows[4] == ["三地合计", "4", "5"]


def test_fields_count_a_listing_in_each_of_its_fields_and_the_gap_is_their_difference(client, session, market):
    held = ask(
        session,
        "SELECT f.field_code, substr(l.region_code, 1, 2), l.kind, count(*) FROM listing l"
        " JOIN listingfield f ON f.listing_id = l.id WHERE l.state = 'published' GROUP BY 1, 2, 3",
    )
    count = {(field, place, kind): number for field, place, kind, number in held}

    rows = {row[0]: row[1:] for row in table(client.get("/figures").text, "gap")[1:]}

    assert rows["组分中药"] == ["0", "2", "0", "0", "2", "0", "2", "2", "0"]
    assert rows["基础软硬件"][-3:] == ["0", "1", "−1"]
    # Whoever makes a listing without fields gets those that its words suggest; here they suggest none.
    assert rows["未标领域"] == ["0", "0", "0", "0", "1", "1", "1", "1", "0"]
    assert sum(count.values()) == sum(
        int(cells[-3]) + int(cells[-2]) for name, cells in rows.items() if name != "未标领域"
    )


def test_each_number_leads_to_the_list_that_it_counts(client, session, platform, market):
    page = client.get("/figures").text

    links = re.findall(r'<a href="(/listings\?[^"]*field=[^"]*)">(\d+)</a>', page)

    assert len(links) >= 5
    for href, number in links:
        found = client.get(href.replace("&amp;", "&")).text
        assert re.search(rf"\b{number} 条", found), href


def test_the_flow_of_cases_is_what_the_tables_hold_and_its_title_says_so(client, session, market):
    held = ask(
        session,
        "SELECT substr(s.region_code, 1, 2), substr(d.region_code, 1, 2), count(*) FROM deskcase c"
        " JOIN listing s ON s.id = c.supply_id JOIN listing d ON d.id = c.demand_id GROUP BY 1, 2",
    )
    count = {(one, other): number for one, other, number in held}
    codes = [code[:2] for code in PLACES]

    page = client.get("/figures").text
    rows = table(page, "flow")

    for code, row in zip(codes, rows[1:4], strict=True):
        assert [int(cell) for cell in row[1:4]] == [count.get((code, other), 0) for other in codes]
        assert int(row[4]) == sum(int(cell) for cell in row[1:4])
    assert rows[4] == ["合计", "1", "0", "3", "4"]
    assert "4 次接洽中有 3 次跨省市（75.0%），最多的是北京成果到河北需求（2 次）" in page


def test_the_flow_by_field_adds_up_to_the_flow_between_places(client, market):
    page = client.get("/figures").text

    flow, by_field = table(page, "flow"), table(page, "fields")[1:]

    assert {row[0]: row[-1] for row in by_field} == {"脑科学": "1", "组分中药": "2", "未标领域": "1"}
    for number in range(3):
        assert sum(int(row[1 + number]) for row in by_field) == int(flow[1 + number][4])
        assert sum(int(row[4 + number]) for row in by_field) == int(flow[4][1 + number])


def test_a_pair_counts_in_the_first_field_of_its_demand_and_else_of_its_supply(client, session):
    manager = make_account(session, role=Role.MANAGER)
    for wanted in (["brain", "tcm"], []):
        supply = make_listing(session, kind=Kind.SUPPLY, fields=["computing", "tcm"])
        demand = make_listing(session, kind=Kind.DEMAND, fields=wanted)
        row = recommend_pair(session, manager, (supply, demand))
        decisions.take(session, row.id, by=manager, now=MONDAY)
    session.commit()

    rows = csv_rows(client, "fields")[1:]

    assert [(row[0], row[-1]) for row in rows] == [("基础软硬件", "1"), ("脑科学", "1")]


def test_contracts_flow_as_their_own_region_codes_say_and_by_period_and_field(client, session, market):
    sign_case(session, market[0], on=date(2026, 11, 20), yuan=500_000, buyer_region="120101")
    sign_case(session, market[2], on=date(2026, 5, 2), yuan=900_000)
    session.commit()

    ever = csv_rows(client, "flow", "?measure=contracts")
    lately = csv_rows(client, "flow", "?measure=contracts&months=3")
    of_brain = csv_rows(client, "flow", "?measure=contracts&field=brain")
    nonsense = csv_rows(client, "flow", "?measure=x&months=7&field=y")

    assert [row[1:] for row in ever[1:]] == [list("0101"), list("1001"), list("0000"), list("1102")]
    assert lately[4] == ["合计", "0", "1", "0", "1"]
    assert of_brain[4] == ["合计", "1", "0", "0", "1"]
    assert nonsense[4][-1] == "4"


def test_the_funnel_counts_pairs_by_how_far_they_ever_came(client, session, market):
    manager = make_account(session, role=Role.MANAGER)
    sides = make_sides(session)
    recommend_pair(session, manager, sides)
    recommend_pair(session, make_account(session, role=Role.MANAGER), sides)
    deed = Deed(session.get_one(Account, market[0].manager_id), MONDAY)
    contract = sign_case(session, market[0], on=date(2026, 11, 20), yuan=1)
    cases.unsign(session, market[0].id, deed=deed)
    assert contract.case_id == market[0].id
    cases.move(session, market[0].id, to=Stage.CONTACTED, deed=deed)
    other = Deed(session.get_one(Account, market[1].manager_id), MONDAY)
    sign_case(session, market[1], on=date(2026, 11, 20), yuan=1)
    cases.register(session, market[1].id, number="1", on=date(2026, 11, 22), deed=other)
    ended = Deed(session.get_one(Account, market[2].manager_id), MONDAY)
    cases.end(session, market[2].id, reason=Exit.PRICE, deed=ended)
    session.commit()

    page = client.get("/figures").text
    rows = {row[0]: row[1:] for row in table(page, "funnel")[1:]}

    pairs = ask(session, "SELECT count(*) FROM (SELECT DISTINCT supply_id, demand_id FROM recommendation) AS pair")
    assert pairs == [(5,)]
    assert {name: cells[0] for name, cells in rows.items()} == {
        "推荐": "5", "接洽": "4", "已联系": "2", "需求确认": "2", "多方沟通": "2",
        "方案": "2", "意向": "2", "签约": "1", "登记": "1",
    }  # fmt: skip
    assert rows["接洽"][1:] == ["80", "80"]
    assert rows["签约"][1:] == ["20", "50"]
    assert "推荐过的 5 对中有 4 对被接洽（80.0%），1 对签约" in page


def test_months_begin_at_midnight_in_beijing(client, session):
    for moment in ("2026-10-31T15:59:59+00:00", "2026-10-31T16:00:00+00:00"):
        make_listing(session, kind=Kind.DEMAND, now=MONDAY.fromisoformat(moment), region_code="120101")
    take_pair(session, at=MONDAY - timedelta(days=60))
    session.commit()

    rows = {row[0]: row[1:] for row in csv_rows(client, "months")[1:]}

    assert list(rows) == [f"2025-{12}", *(f"2026-{number:02d}" for number in range(1, 12))]
    assert rows["2026-10"] == ["0", "0", "1", "0", "0", "0", "0", "0"]
    assert rows["2026-11"] == ["0", "1", "1", "0", "1", "0", "0", "0"]
    assert rows["2026-09"][-2:] == ["1", "0"]


def test_needs_without_an_answer_are_named_until_somebody_answers_or_they_end(client, session):
    old = MONDAY - timedelta(days=50)
    ids = [make_listing(session, kind=Kind.DEMAND, title=f"没人理的需求{number}", now=old).id for number in range(3)]
    assert clock.record_unanswered(session, now=MONDAY) == 3
    session.connection().execute(
        sa.text("UPDATE unansweredlisting SET answered_at = :at WHERE since = since AND listing_id = :id"),
        {
            "at": MONDAY.replace(tzinfo=None),
            "id": ids[1].hex if session.connection().dialect.name == "sqlite" else ids[1],
        },
    )
    session.connection().execute(
        sa.text("UPDATE listing SET state = 'withdrawn' WHERE id = :id"),
        {"id": ids[2].hex if session.connection().dialect.name == "sqlite" else ids[2]},
    )
    session.commit()

    page = client.get("/figures").text
    rows = csv_rows(client, "waiting")

    assert [row[0] for row in rows[1:]] == ["没人理的需求0"]
    assert rows[1][-2:] == ["50", "没有人接洽"]
    assert "1 条需求还没有得到答复，最久的已等 50 天" in page
    assert "一共记录过 3 条" in page


def test_page_csv_and_xlsx_hold_the_same_numbers(client, session, market):
    page = client.get("/figures").text

    for chart in Chart:
        rows = csv_rows(client, chart.value)
        if chart is not Chart.WAITING:
            shown = [[cell.replace("−", "-") for cell in row] for row in table(page, chart.value)]
            assert [[re.sub(r"\.0$", "", cell) for cell in row] for row in rows] == shown
        assert [[re.sub(r"\.0$", "", cell) for cell in row] for row in rows] == xlsx_rows(client, chart.value)


def test_no_cell_of_a_file_begins_a_formula(client, session):
    starts = "=+-@＝＋－＠"
    for number, start in enumerate(starts):
        make_listing(session, kind=Kind.DEMAND, title=f"{start}1+1 测试需求", now=MONDAY - timedelta(days=50 + number))
    clock.record_unanswered(session, now=MONDAY)
    session.commit()

    for rows in (csv_rows(client, "waiting"), xlsx_rows(client, "waiting")):
        titles = [row[0] for row in rows[1:]]
        assert len(titles) == len(starts)
        assert all(title.startswith("'") for title in titles)


def test_an_amount_is_told_only_of_three_contracts_together(client, session, market):
    for case, yuan in zip(market[:2], (1_234_500, 10_000), strict=True):
        sign_case(session, case, on=date(2026, 11, 20), yuan=yuan)
    session.commit()
    with_two = client.get("/figures").text
    sign_case(session, market[2], on=date(2026, 11, 21), yuan=5_500)
    session.commit()

    with_three = client.get("/figures").text

    total = Counter(dict(ask(session, "SELECT 'sum', sum(total_yuan) FROM deskcontract")))["sum"]
    assert total == 1_250_000
    assert "成交额" not in with_two.replace("不公布成交额", "")
    assert "125" not in re.findall(r'stats-value num">([^<]*)<', with_two)
    assert "125" in re.findall(r'stats-value num">([^<]*)<', with_three)


def test_every_chart_has_a_chinese_label_a_title_and_no_style_and_the_page_is_light(client, session, market):
    page = client.get("/figures").text

    charts = re.findall(r'<svg class="chart[^>]*>', page)
    assert len(charts) == 5
    for chart in charts:
        assert 'role="img"' in chart
        assert re.search(r'aria-label="[\u4e00-\u9fff]+图：', chart)
    assert " style=" not in page
    assert "<style" not in page
    assert len(page.encode()) <= 40_000


def test_an_empty_platform_says_so_and_offers_ways_on(client):
    page = client.get("/figures").text

    for sentence in (
        "现在还没有发布的需求和成果",
        "在选定的范围里还没有接洽",
        "还没有推荐过任何一对",
        "没有长期等待答复的需求",
    ):
        assert sentence in page
    assert "看现在的需求" in page


@pytest.mark.parametrize("address", ["/figures/places.pdf", "/figures/nothing.csv", "/figures/x.xlsx"])
def test_a_file_that_does_not_exist_is_a_readable_page(client, address):
    answer = client.get(address)

    assert answer.status_code in {404, 422}
    assert "<h1" in answer.text
