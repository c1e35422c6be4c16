"""The 供需对接清单 of Article 9 as a file: public columns only, safe to open in a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from sqlmodel import Session

from backend.accounts.tables import OrganisationKind
from backend.listings import repository as listings
from backend.listings.cards import Card, make_card
from backend.listings.tables import Mode
from backend.policy.catalogue import Catalogue
from backend.web.pages import LOCAL_ZONE

MOST_ROWS = 5000
LOADED_AT_ONCE = 500
# What spreadsheets take for the beginning of a formula, in either width.
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
SHEET_NAME = "供需对接清单"
LONGEST_CELL = 32_767  # of a spreadsheet

Column = Callable[[Card, Catalogue, str], str | int]
COLUMNS: Mapping[str, Column] = {
    "编号": lambda card, _catalogue, _host: str(card.id),
    "类型": lambda card, _catalogue, _host: card.kind.label,
    "标题": lambda card, _catalogue, _host: card.title,
    "简介": lambda card, _catalogue, _host: card.summary,
    "单位": lambda card, _catalogue, _host: card.organisation,
    "单位性质": lambda card, _catalogue, _host: OrganisationKind(card.organisation_kind).label,
    "省市": lambda card, catalogue, _host: catalogue.region(card.province).short,
    "省市代码": lambda card, _catalogue, _host: card.province,
    "所在地区": lambda card, _catalogue, _host: card.place,
    "落地园区": lambda card, _catalogue, _host: card.park,
    "优先领域": lambda card, catalogue, _host: "、".join(catalogue.field(code).name for code in card.fields),
    "所属行业": lambda card, _catalogue, _host: card.industry,
    "关键词": lambda card, _catalogue, _host: "、".join(card.keywords),
    "成熟度": lambda card, _catalogue, _host: card.maturity,
    "技术就绪等级": lambda card, _catalogue, _host: card.trl or "",
    "知识产权": lambda card, _catalogue, _host: card.ip,
    "合作方式": lambda card, _catalogue, _host: "、".join(Mode(code).label for code in card.modes),
    "金额": lambda card, _catalogue, _host: card.price,
    "截止日期": lambda card, _catalogue, _host: _day(card.deadline),
    "发布日期": lambda card, _catalogue, _host: _day(
        card.published_at.astimezone(LOCAL_ZONE).date() if card.published_at else None
    ),
    "更新日期": lambda card, _catalogue, _host: _day(card.updated_at.astimezone(LOCAL_ZONE).date()),
    "网址": lambda card, _catalogue, host: f"{host}{card.href}",
}


def load_public_cards(session: Session, ids: Sequence[UUID], catalogue: Catalogue) -> list[Card]:
    """Return the cards of these listings as the public sees them, in order; what is no longer published is left out."""
    cards = []
    for start in range(0, len(ids), LOADED_AT_ONCE):
        part = ids[start : start + LOADED_AT_ONCE]
        bundles = listings.load_bundles(session, part)
        found = (bundles[listing_id] for listing_id in part if listing_id in bundles)
        cards += [make_card(bundle, catalogue, reader=None) for bundle in found if bundle.is_visible]
    return cards


def write_csv(cards: Iterable[Card], catalogue: Catalogue, *, host: str) -> bytes:
    """Return the list as CSV, UTF-8 with a byte order mark so that spreadsheets read it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in _cells(card, catalogue, host)] for card in cards)
    return file.getvalue().encode("utf-8-sig")


def write_xlsx(cards: Iterable[Card], catalogue: Catalogue, *, host: str) -> bytes:
    """Return the list as a workbook of one sheet."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET_NAME)
    sheet.append(list(COLUMNS))
    for card in cards:
        sheet.append([storable(harmless(cell)) for cell in _cells(card, catalogue, host)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def write_json(cards: Iterable[Card], catalogue: Catalogue, *, host: str) -> bytes:
    """Return the list as an array of objects, text exactly as written."""
    entries = [dict(zip(COLUMNS, _cells(card, catalogue, host), strict=True)) for card in cards]
    return json.dumps(entries, ensure_ascii=False, indent=1).encode()


def harmless(cell: float | str) -> float | str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe goes before what looks like one."""
    if isinstance(cell, str) and (cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS)):
        return f"'{cell}"
    return cell


def storable(cell: float | str) -> float | str:
    """Return a cell that a workbook can hold: no control characters, not too long."""
    return ILLEGAL_CHARACTERS_RE.sub("", cell)[:LONGEST_CELL] if isinstance(cell, str) else cell


def _cells(card: Card, catalogue: Catalogue, host: str) -> list[Any]:
    return [column(card, catalogue, host) for column in COLUMNS.values()]


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""
