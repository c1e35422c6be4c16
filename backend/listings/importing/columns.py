"""From a file's columns and words to the fields and codes of a listing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from backend.listings.forms import KEYWORD_SEPARATORS
from backend.listings.importing.sources import Row, UnreadableFile
from backend.listings.tables import IpKind, IpStatus, Kind, Maturity, Mode, PriceKind
from backend.policy.catalogue import Catalogue

# Our template's column names come first; the rest are those of other markets' files.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "source_id": ("编号", "id", "_id", "source_id"),
    "title": ("标题", "名称", "成果名称", "需求名称", "项目名称", "name", "title"),
    "summary": ("简介", "摘要", "summary"),
    "description": ("详细说明", "内容", "正文", "技术简介", "需求描述", "context", "description", "text", "content"),
    "organisation": ("单位", "单位名称", "organisation", "organization", "company"),
    "region": ("所在地区", "地区", "region", "area"),
    "park": ("落地园区", "园区", "park"),
    "fields": ("优先领域", "领域", "fields", "field"),
    "industry": ("所属行业", "行业", "classification"),
    "keywords": ("关键词", "关键字", "keywords", "industry"),
    "modes": ("合作方式", "转化方式", "cooperationMethod", "modes"),
    "price": ("金额", "价格", "预算", "price", "budget"),
    "maturity": ("成熟度", "所处阶段", "maturity"),
    "trl": ("技术就绪等级", "TRL", "trl"),
    "ip": ("知识产权类型", "知识产权", "专利信息", "zlxx", "ip"),
    "deadline": ("截止日期", "有效期", "time", "deadline"),
    "indicators": ("技术指标", "指标", "indicators"),
    "contact_name": ("联系人", "contact"),
    "contact_phone": ("联系电话", "phone"),
    "contact_email": ("联系邮箱", "email"),
}
IGNORED = frozenset({"postTime", "scope", "url", "发布日期"})
MODE_WORDS = {
    "完全转让": Mode.TRANSFER, "技术转让": Mode.TRANSFER, "许可转让": Mode.LICENCE, "技术许可": Mode.LICENCE,
    "技术入股": Mode.EQUITY, "作价投资": Mode.EQUITY, "合作生产": Mode.CO_PRODUCTION,
    "委托开发": Mode.COMMISSIONED_DEVELOPMENT, "合作开发": Mode.JOINT_DEVELOPMENT, "技术服务": Mode.SERVICE,
    "技术咨询": Mode.CONSULTING, "联合攻关": Mode.JOINT_TEAM,
}  # fmt: skip
IP_WORDS = {
    "发明": IpKind.PATENT, "实用新型": IpKind.PATENT, "外观": IpKind.PATENT, "软件著作权": IpKind.SOFTWARE,
    "软著": IpKind.SOFTWARE, "布图": IpKind.IC_LAYOUT, "新品种": IpKind.PLANT_VARIETY, "专有技术": IpKind.KNOW_HOW,
    "非专利": IpKind.KNOW_HOW,
}  # fmt: skip
PRICE_WORDS = {
    "面议": PriceKind.NEGOTIABLE,
    "未知": PriceKind.UNKNOWN,
    "不公开": PriceKind.UNDISCLOSED,
    "保密": PriceKind.UNDISCLOSED,
}
AMOUNTS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:万元?)?\s*(?:[-–—~至到]\s*(\d+(?:\.\d+)?))?\s*万")
DATE = re.compile(r"(20\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})")
INDICATOR = re.compile(r"^(.+?)\s*(>=|<=|≥|≤|=|＝|：|:)\s*(-?\d+(?:\.\d+)?)\s*(?:[-–~至]\s*(-?\d+(?:\.\d+)?))?\s*(.*)$")
# Some files cut long names of industries short; so many characters are still one industry.
CUT_NAME = 6
SUMMARY_LENGTH = 140
LONGEST_KEYWORD = 30
MOST_KEYWORDS = 12


@dataclass(frozen=True)
class Problem:
    """One cell that could not be taken as it is: where, what stands there, why, and whether the row was refused."""

    row: int
    column: str
    value: str
    reason: str
    refused: bool


@dataclass
class Reading:
    """What one row says, as values of the posting form, and what could not be taken."""

    values: dict[str, Any]
    organisation: str
    source_id: str
    problems: list[Problem] = field(default_factory=list)


def map_columns(names: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return which column holds which field; `given` (field → column) decides where it speaks.

    Raises: UnreadableFile, when there is no column for title or description.
    """
    for target, column in given.items():
        if target not in COLUMNS or column not in names:
            raise UnreadableFile(
                f"“{target}={column}”不能对应。",
                remedy=f"字段有：{'、'.join(COLUMNS)}；文件的列有：{'、'.join(names)}。",
            )
    lowered = {name.lower(): name for name in names}
    found = {
        target: next((lowered[word.lower()] for word in words if word.lower() in lowered), "")
        for target, words in COLUMNS.items()
    }
    mapped = {**{target: name for target, name in found.items() if name}, **given}
    missing = [COLUMNS[target][0] for target in ("title", "description") if target not in mapped]
    if missing:
        raise UnreadableFile(
            f"没有找到这些列：{'、'.join(missing)}。文件的列有：{'、'.join(names)}。",
            remedy="请改列名，或用 --column title=列名 指定。",
        )
    return mapped


def unused_columns(names: list[str], mapped: Mapping[str, str]) -> list[str]:
    """Return the columns whose content is not taken over."""
    return [name for name in names if name and name not in mapped.values() and name not in IGNORED]


def read_row(
    row: Row, mapped: Mapping[str, str], *, kind: Kind, catalogue: Catalogue, region: str, today: date
) -> Reading:
    """Turn a row into values of the posting form; words nobody knows are left out and reported."""
    cell = {target: row.values.get(column, "").strip() for target, column in mapped.items()}
    reading = Reading({}, cell.get("organisation", ""), cell.get("source_id", ""))

    def note(target: str, reason: str) -> None:
        reading.problems.append(Problem(row.number, mapped[target], cell[target][:60], reason, refused=False))

    values = reading.values
    values["title"], values["description"] = cell["title"], cell["description"]
    values["summary"] = cell.get("summary") or _first_sentences(cell["description"])
    values["region_code"] = _region(cell, catalogue, region, note)
    values["keywords"] = _keywords(cell)
    values |= _price(cell, note) | _coded(cell, kind, catalogue, note)
    _dates(cell, values, today, note)
    if cell.get("indicators"):
        values["indicators"] = _indicators(cell["indicators"], note)
    values |= {name: cell[name] for name in ("contact_name", "contact_phone", "contact_email") if cell.get(name)}
    return reading


Note = Callable[[str, str], None]


def _first_sentences(text: str) -> str:
    """Return the beginning of a text up to the last sentence that ends within 140 characters."""
    head = re.sub(r"\s+", " ", text)[:SUMMARY_LENGTH]
    end = max(head.rfind(mark) for mark in "。；！？")
    return head[: end + 1] if end > 0 else head


def _region(cell: Mapping[str, str], catalogue: Catalogue, fallback: str, note: Note) -> str:
    text = cell.get("region", "")
    if not text:
        return fallback
    if catalogue.find_region(text):
        return text
    named = catalogue.regions_named(text)
    if not named:
        note("region", "不是京津冀的地名，已按默认地区导入")
        return fallback
    return named[0].code


def _keywords(cell: Mapping[str, str]) -> list[str]:
    words = [word for word in re.split(KEYWORD_SEPARATORS.pattern + r"|-+", cell.get("keywords", "")) if word]
    return [word for word in words if len(word) <= LONGEST_KEYWORD][:MOST_KEYWORDS]


def _price(cell: Mapping[str, str], note: Note) -> dict[str, Any]:
    text = cell.get("price", "")
    amounts = AMOUNTS.search(text)
    if amounts:
        low, high = amounts[1], amounts[2] or amounts[1]
        return {"price_kind": PriceKind.RANGE, "price_low": low, "price_high": high}
    for word, kind in PRICE_WORDS.items():
        if word in text:
            return {"price_kind": kind}
    if text:
        note("price", "看不懂的金额，已记为“未知”；请写成“80-200 万元”或“面议”")
    return {"price_kind": PriceKind.UNKNOWN}


def _coded(cell: Mapping[str, str], kind: Kind, catalogue: Catalogue, note: Note) -> dict[str, Any]:
    values: dict[str, Any] = {"modes": [mode for word, mode in MODE_WORDS.items() if word in cell.get("modes", "")]}
    values["modes"] = list(dict.fromkeys(values["modes"]))
    values["fields"] = [
        code
        for code, entry in catalogue.fields.items()
        if entry.name in cell.get("fields", "") or code == cell.get("fields")
    ]
    values["industry_code"] = _industry(cell.get("industry", ""), catalogue)
    if cell.get("park"):
        values["park_code"] = next((code for code, park in catalogue.parks.items() if park.name in cell["park"]), None)
        if values["park_code"] is None:
            note("park", "不是第十一条列出的园区，没有采用")
    maturity = next((step for step in Maturity if step.label in cell.get("maturity", "")), None)
    if cell.get("maturity") and maturity is None:
        note("maturity", f"没有这种说法，没有采用；可用：{'、'.join(step.label for step in Maturity)}")
    values["maturity" if kind is Kind.SUPPLY else "needs_maturity"] = maturity
    if kind is Kind.SUPPLY:
        kinds = [ip for word, ip in IP_WORDS.items() if word in cell.get("ip", "")]
        values["ip_kinds"] = list(dict.fromkeys(kinds))
        values["ip_status"] = next((status for status in IpStatus if status.label in cell.get("ip", "")), None)
        values["trl"] = cell.get("trl") or None
    return values


def _industry(text: str, catalogue: Catalogue) -> str | None:
    """Return the narrowest class of GB/T 4754 that a text names."""
    if text in catalogue.industries:
        return text
    parts = [part for part in re.split(r"—+|-+|>|/", text) if part]
    codes = [
        code
        for code, entry in catalogue.industries.items()
        if any(entry.name == part or (len(part) >= CUT_NAME and entry.name.startswith(part)) for part in parts)
    ]
    return max(codes, key=len, default=None)


def _dates(cell: Mapping[str, str], values: dict[str, Any], today: date, note: Note) -> None:
    found = DATE.findall(cell.get("deadline", ""))
    if not found:
        return
    try:
        deadline = date(*(int(part) for part in found[-1]))
    except ValueError:
        note("deadline", "没有这一天，没有采用")
        return
    if deadline < today:
        note("deadline", "截止日期已过，没有采用")
    else:
        values["deadline_on"] = deadline


def _indicators(text: str, note: Note) -> list[dict[str, Any]]:
    """Read `名称 ≥ 数值 单位` separated by ; or line ends."""
    found = []
    for part in re.split(r"[;；\n]+", text):
        match = INDICATOR.match(part.strip())
        if not match:
            if part.strip():
                note("indicators", f"“{part.strip()[:20]}”不是“名称 ≥ 数值 单位”，没有采用")
            continue
        name, sign, low, high, unit = match.groups()
        op = {"≥": ">=", ">=": ">=", "≤": "<=", "<=": "<="}.get(sign, "range" if high else "=")
        found.append(
            {"name": name, "op": op, "value": low, "unit": unit.strip()} | ({"value_to": high} if op == "range" else {})
        )
    return found
