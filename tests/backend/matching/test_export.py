"""The list as a file: what the public sees, harmless in a spreadsheet."""

import csv
import io
import json

import pytest
from conftest import CANARY
from factories import make_account
from openpyxl import load_workbook

from backend.accounts.tables import Role
from backend.listings.cards import ANONYMOUS
from backend.listings.tables import Kind, State
from backend.matching.export import COLUMNS, harmless

TITLE = "全固态电池电解质界面阻抗降低方法"


def table(client, suffix: str, query: str = "") -> list[dict[str, str]]:
    """Return the rows of the list as the file holds them, whatever its kind."""
    answer = client.get(f"/list.{suffix}{query}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    if suffix == "json":
        return [{name: str(value) for name, value in row.items()} for row in json.loads(answer.content)]
    if suffix == "csv":
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(answer.content), read_only=True).active
    head, *rows = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json"])
def test_every_kind_of_file_holds_the_same_list(client, publish, suffix):
    publish(TITLE, region_code="130200", fields=["vehicles"])
    publish("另一条需求的标题", kind=Kind.DEMAND)

    rows = table(client, suffix, "?kind=supply&region=130000")

    assert [row["标题"] for row in rows] == [TITLE]
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["优先领域"] == "新能源及智能网联汽车"
    assert rows[0]["省市代码"] == "130000"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_what_looks_like_a_formula_is_only_text_in_a_spreadsheet(client, publish, suffix, start):
    publish(f"{start}1+cmd|' /C calc'!A0")

    row = table(client, suffix)[0]

    assert row["标题"].startswith(f"'{start}")


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", " =1", "\u3000@x", "\tabc"])
def test_blanks_do_not_hide_a_formula(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["电池", "a=b", 7, ""])
def test_harmless_cells_stay_as_they_are(cell):
    assert harmless(cell) == cell


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json"])
def test_a_file_is_the_public_view_whoever_asks(client, session, publish, suffix):
    publish(TITLE, is_anonymous=True)
    publish("已经下架的脑电技术", state=State.WITHDRAWN)
    client.sign_in(make_account(session, role=Role.MANAGER))

    rows = table(client, suffix)

    assert [row["单位"] for row in rows] == [ANONYMOUS]
    assert not any(secret in str(rows) for secret in (*CANARY.values(), "测试研究院"))


def test_a_file_follows_the_words_and_the_order_of_the_list(client, publish):
    publish("脑电采集头带", price_low=10, price_high=20)
    publish("脑电采集头盔", price_low=10, price_high=90)
    publish("高盐废水零排放")

    rows = table(client, "csv", "?q=脑电采集&sort=money")

    assert [row["标题"] for row in rows] == ["脑电采集头盔", "脑电采集头带"]


def test_another_kind_of_file_is_not_found(client):
    assert client.get("/list.exe").status_code == 404
