"""A file of listings is brought in once, whole or not at all, and every cell that cannot be taken is named."""

import json
from pathlib import Path

import openpyxl
import pytest
from factories import MONDAY, make_account, make_organisation
from sqlmodel import select

from backend.accounts.tables import Role
from backend.errors import AppError
from backend.listings import repository
from backend.listings.importing.service import Target, import_rows
from backend.listings.importing.sources import UnreadableFile, read_rows
from backend.listings.tables import Kind, Listing, Mode, PriceKind, State

MARKET_ROW = {
    "name": "防尘网自动清洗装置",
    "context": "采石场的防尘网一周就堵，人工拆洗要停半天，希望不停机自动清洗。",
    "classification": "制造业——专用设备制造业",
    "cooperationMethod": "完全转让许可转让",
    "maturity": "通过中试",
    "price": "面议",
    "zlxx": "发明专利",
    "industry": "装备制造-自动化",
    "postTime": "2020-03-20",
}


@pytest.fixture
def bring_in(session, platform, tmp_path):
    owner = make_account(session, organisation_id=make_organisation(session).id)
    moderator = make_account(session, role=Role.MODERATOR)

    def run(path, kind=Kind.SUPPLY, **columns):
        target = Target(kind=kind, region="130200", owner_of=lambda _name: owner, publisher=moderator, days=180)
        rows = read_rows(path)
        return import_rows(session, rows, target=target, catalogue=platform.catalogue, now=MONDAY, columns=columns)

    return run


def lines(path: Path, *rows: dict) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def only(session):
    listing = session.exec(select(Listing)).one()
    return repository.find_bundle(session, listing.id)


def test_the_columns_of_another_market_become_fields_of_ours(session, bring_in, tmp_path):
    report = bring_in(lines(tmp_path / "market.jsonl", MARKET_ROW))

    bundle = only(session)
    assert (report.created, report.refused) == (1, 0)
    assert bundle.listing.state is State.PUBLISHED
    assert bundle.modes == (Mode.TRANSFER, Mode.LICENCE)
    assert bundle.listing.price_kind is PriceKind.NEGOTIABLE
    assert bundle.listing.industry_code == "C35"
    assert bundle.listing.description == MARKET_ROW["context"]
    assert bundle.listing.description.startswith(bundle.listing.summary)


def test_the_same_file_again_changes_nothing(session, bring_in, tmp_path):
    path = lines(tmp_path / "market.jsonl", MARKET_ROW)
    bring_in(path)

    report = bring_in(path)

    assert (report.created, report.updated, report.unchanged) == (0, 0, 1)
    assert only(session).listing.version == 1


def test_a_changed_row_changes_its_listing(session, bring_in, tmp_path):
    bring_in(lines(tmp_path / "market.jsonl", MARKET_ROW))

    report = bring_in(lines(tmp_path / "market.jsonl", {**MARKET_ROW, "maturity": "可以量产"}))

    assert report.updated == 1
    assert only(session).listing.version == 2


def test_a_row_that_says_too_little_is_refused_with_row_column_and_reason(session, bring_in, tmp_path):
    report = bring_in(lines(tmp_path / "market.jsonl", MARKET_ROW, {**MARKET_ROW, "name": "二", "context": "短"}))

    problem = next(problem for problem in report.problems if problem.refused)
    assert (report.created, report.refused) == (1, 1)
    assert (problem.row, problem.column, problem.value) == (2, "context", "短")
    assert "请补充" in problem.reason


def test_a_deadline_that_is_over_is_reported_and_left_out(session, bring_in, tmp_path):
    row = {**MARKET_ROW, "time": "2020-01-13 10:49至2021-01-13 10:49"}

    report = bring_in(lines(tmp_path / "market.jsonl", row), kind=Kind.DEMAND)

    assert only(session).listing.deadline_on is None
    assert [problem.reason for problem in report.problems] == ["截止日期已过，没有采用"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_in_whichever_encoding_it_was_saved(session, bring_in, tmp_path, encoding):
    path = tmp_path / "table.csv"
    path.write_text(
        "标题,详细说明,金额\n防尘网清洗,采石场的防尘网一周就堵，人工拆洗要停半天。,80-200 万元\n", encoding=encoding
    )

    report = bring_in(path)

    assert report.created == 1
    assert (only(session).listing.price_low, only(session).listing.price_high) == (800_000, 2_000_000)


def test_a_workbook_is_read(session, bring_in, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["标题", "详细说明", "技术指标"])
    book.active.append(["防尘网清洗", "采石场的防尘网一周就堵，人工拆洗要停半天。", "清洗周期 ≤ 30 min；效率 ≥ 95 %"])
    book.save(tmp_path / "table.xlsx")

    bring_in(tmp_path / "table.xlsx")

    figures = [(entry["name"], entry["op"], entry["value"]) for entry in only(session).listing.indicators]
    assert figures == [("清洗周期", "<=", 30.0), ("效率", ">=", 95.0)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "是空的"),
        ("header.csv", "标题,详细说明\n".encode(), "只有表头"),
        ("wrong.csv", "姓名,电话\n张,1\n".encode(), "没有找到这些列：标题、详细说明"),
        ("broken.jsonl", b'{"name": ', "第 1 行不是完整的 JSON"),
        ("list.jsonl", b"[1]", "第 1 行不是一个 JSON 对象"),
        ("binary.csv", b"PK\x03\x04\x00\x00", "不是文本文件"),
        ("latin.csv", b"\xff\xff\xff", "编码不是 UTF-8 也不是 GBK"),
        ("fake.xlsx", b"not a zip", "不是完好的 XLSX 表格"),
        ("table.doc", b"x", "不能导入“.doc”类型的文件"),
        ("twice.csv", "标题,标题\na,b\n".encode(), "列名重复：标题"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(session, bring_in, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(AppError, match=sentence):
        bring_in(path)

    assert session.exec(select(Listing)).all() == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableFile, match="找不到文件"):
        read_rows(tmp_path / "nowhere.csv")
