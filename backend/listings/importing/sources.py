"""Files of listings as rows: JSON lines, CSV and XLSX, read within limits and never executed."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from backend.errors import AppError

MOST_BYTES = 50_000_000
MOST_UNPACKED_BYTES = 200_000_000
MOST_ARCHIVE_ENTRIES = 100
MOST_ROWS = 20_000
MOST_COLUMNS = 200
ENCODINGS = ("utf-8-sig", "gb18030")
READABLE = ".jsonl、.csv 或 .xlsx"


class UnreadableFile(AppError):
    """A file that cannot be imported at all; nothing of it was."""

    status = 422


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file; `number` is what an editor shows: line or sheet row, from 1."""

    number: int
    values: dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Read all rows of a file by its ending. Raises: UnreadableFile, with one sentence that says what to do."""
    if not path.is_file():
        raise UnreadableFile(f"找不到文件“{path}”。", remedy="请检查路径。")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(f"文件“{path.name}”是空的，没有可以导入的内容。")
    if size > MOST_BYTES:
        raise UnreadableFile(
            f"文件“{path.name}”有 {size // 1_000_000} MB，超过 {MOST_BYTES // 1_000_000} MB。",
            remedy="请拆成几个文件。",
        )
    readers = {".jsonl": _read_json_lines, ".csv": _read_csv, ".xlsx": _read_workbook}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFile(f"不能导入“{path.suffix or path.name}”类型的文件。", remedy=f"请使用 {READABLE}。")
    rows: list[Row] = []
    for row in reader(path):
        if len(rows) == MOST_ROWS:
            raise UnreadableFile(f"文件“{path.name}”超过 {MOST_ROWS:,} 行。", remedy="请拆成几个文件。")
        rows.append(row)
    if not rows:
        raise UnreadableFile(f"文件“{path.name}”只有表头，没有可以导入的行。")
    return rows


def _decode(path: Path) -> str:
    """Return a text file in whichever of UTF-8 and GB 18030 it is written."""
    content = path.read_bytes()
    if b"\x00" in content[:4096]:
        raise UnreadableFile(f"文件“{path.name}”不是文本文件。", remedy="请另存为 UTF-8 编码的 CSV 后再导入。")
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile(f"文件“{path.name}”的编码不是 UTF-8 也不是 GBK。", remedy="请另存为 UTF-8 编码后再导入。")


def _read_json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(io.StringIO(_decode(path)), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            raise UnreadableFile(f"文件“{path.name}”第 {number} 行不是完整的 JSON。", remedy="请改正这一行。") from None
        if not isinstance(entry, dict):
            raise UnreadableFile(f"文件“{path.name}”第 {number} 行不是一个 JSON 对象。", remedy="每行应是一条记录。")
        yield Row(number, {str(name).strip(): _as_text(value) for name, value in entry.items()})


def _read_csv(path: Path) -> Iterator[Row]:
    text = _decode(path)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    reader = csv.reader(io.StringIO(text), dialect)
    try:
        header = _check_header(next(reader, []), path)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
    except csv.Error as error:
        raise UnreadableFile(
            f"文件“{path.name}”第 {reader.line_num} 行读不下去：{error}。", remedy="请检查引号是否成对。"
        ) from None


def _read_workbook(path: Path) -> Iterator[Row]:
    _refuse_bomb(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
            header = _check_header([_as_text(cell) for cell in next(rows, ())], path)
            for number, cells in enumerate(rows, start=2):
                texts = [_as_text(cell).strip() for cell in cells]
                if any(texts):
                    yield Row(number, dict(zip(header, texts, strict=False)))
        finally:
            book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError):
        raise UnreadableFile(
            f"文件“{path.name}”不是完好的 XLSX 表格。", remedy="请用表格软件另存为 XLSX 后再导入。"
        ) from None


def _refuse_bomb(path: Path) -> None:
    """Look at what a workbook claims to hold before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise UnreadableFile(
            f"文件“{path.name}”不是完好的 XLSX 表格。", remedy="请用表格软件另存为 XLSX 后再导入。"
        ) from None
    if len(entries) > MOST_ARCHIVE_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED_BYTES:
        raise UnreadableFile(f"文件“{path.name}”展开后太大。", remedy="请拆成几个文件。")


def _check_header(header: list[str], path: Path) -> list[str]:
    names = [name.strip() for name in header]
    if not any(names):
        raise UnreadableFile(f"文件“{path.name}”的第一行应是列名。")
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(f"文件“{path.name}”有 {len(names)} 列，超过 {MOST_COLUMNS} 列。")
    repeated = {name for name in names if name and names.count(name) > 1}
    if repeated:
        raise UnreadableFile(f"列名重复：{'、'.join(sorted(repeated))}。", remedy="每一列请用不同的名字。")
    return names


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "、".join(_as_text(part) for part in value)
    if hasattr(value, "date") and callable(value.date):
        return str(value.date().isoformat())
    return str(value)
