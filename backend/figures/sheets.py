"""The numbers of one chart: one table for the page and for the file, so that both say the same."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote

from fastapi.responses import Response
from openpyxl import Workbook

from backend.matching.export import harmless, storable

Value = str | int | float


@dataclass(frozen=True)
class Cell:
    """One cell; `is_term` marks a word of the interface, which is translated, unlike what people wrote."""

    value: Value
    href: str = ""
    is_term: bool = False
    shade: int = 0


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    label: str
    numeric: bool = True


@dataclass(frozen=True)
class Sheet:
    """A table of numbers; the first cell of a row is its heading."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


class Suffix(StrEnum):
    """The kinds of file that can be had."""

    CSV = "csv"
    XLSX = "xlsx"


def term(word: str, href: str = "") -> Cell:
    """Return a cell with a word of the interface."""
    return Cell(word, href, is_term=True)


def write_csv(sheet: Sheet) -> bytes:
    """Return a table as CSV, UTF-8 with a byte order mark so that spreadsheets read it; no cell begins a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(column.label for column in sheet.columns)
    writer.writerows([_plain(cell) for cell in row] for row in sheet.rows)
    return file.getvalue().encode("utf-8-sig")


def write_xlsx(sheet: Sheet) -> bytes:
    """Return a table as a workbook of one sheet; numbers are numbers, and no cell is a formula."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.name)
    page.append([column.label for column in sheet.columns])
    for row in sheet.rows:
        page.append([storable(_plain(cell)) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _plain(cell: Cell) -> Value:
    return harmless(cell.value)


WRITERS: Mapping[Suffix, tuple[Callable[[Sheet], bytes], str]] = MappingProxyType(
    {
        Suffix.CSV: (write_csv, "text/csv; charset=utf-8"),
        Suffix.XLSX: (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    }
)


def as_download(sheet: Sheet, suffix: Suffix, *, stem: str, day: str) -> Response:
    """Answer with a table as a file; `stem` names it for programs, the sheet for people."""
    write, media_type = WRITERS[suffix]
    name = quote(f"{sheet.name}-{day}.{suffix.value}")
    disposition = f"attachment; filename=\"{stem}.{suffix.value}\"; filename*=UTF-8''{name}"
    return Response(write(sheet), media_type=media_type, headers={"Content-Disposition": disposition})
