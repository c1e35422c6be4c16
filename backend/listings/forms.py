"""What an author may write in a listing, whichever way it comes: form, API, import or seeds."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from backend.listings.figures import read_figure
from backend.listings.tables import IpKind, IpStatus, Kind, Maturity, Mode, PriceKind, Visibility
from backend.policy.catalogue import Catalogue
from backend.web.forms import Blank, Block, Distinct, Line, Number, SubmittedForm, validate

YUAN_PER_WAN = 10_000
MOST_WAN = 10_000_000
MOST_INDICATORS = 20
MOST_KEYWORDS = 12
KEYWORD_SEPARATORS = re.compile(r"[,，、;；\s]+")
PHONE = re.compile(r"[0-9+\-() ]{6,40}")
DAY = re.compile(r"(20\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.ASCII)
Operator = Literal[">=", "<=", "=", "range"]
Money = Annotated[
    Annotated[Decimal, Field(ge=0, le=MOST_WAN, max_digits=12, decimal_places=4, allow_inf_nan=False)] | None, Number
]
Measure = Annotated[Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)] | None, Number]
Readiness = Annotated[Annotated[int, Field(ge=1, le=9)] | None, Number]


class Indicator(BaseModel):
    """One figure: what a demand requires or what a supply was measured to reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line = Field(default="", title="指标名称", max_length=60)
    op: Operator = Field(default="=", title="比较方式")
    value: Measure = Field(default=None, title="数值")
    value_to: Measure = Field(default=None, title="上限")
    unit: Line = Field(default="", title="单位", max_length=30)
    condition: Line = Field(default="", title="测试条件", max_length=120)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.name:
            raise PydanticCustomError("app", "还没有写指标名称")
        if self.value is None:
            raise PydanticCustomError("app", "“{name}”还没有数值，请填一个数", {"name": self.name})
        if self.op == "range" and (self.value_to is None or self.value_to < self.value):
            raise PydanticCustomError("app", "“{name}”的上限应不小于下限", {"name": self.name})
        return self


def read_day(text: str) -> date | None:
    """Return the day that a text names, if it names one."""
    found = DAY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _clean_day(value: Any) -> Any:
    """Accept a date as people write it: 2027-03-31, 2027/3/31, 2027.3.31, 2027年3月31日, full-width digits too."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFKC", value).strip()
    if not text:
        return None
    day = read_day(text)
    if day is None:
        raise PydanticCustomError("app", "应写成 2027-03-31 这样的日期，不能是“{text}”", {"text": text[:20]})
    return day


Day = Annotated[date | None, BeforeValidator(_clean_day)]


class ListingForm(BaseModel):
    """Everything an author writes. Money in 万元; empty means not stated; the last two groups are for one kind each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line = Field(title="标题", min_length=2, max_length=120)
    summary: Line = Field(default="", title="简介", max_length=300)
    description: Block = Field(default="", title="详细说明", max_length=20_000)
    region_code: Line = Field(title="所在地区", min_length=1)
    park_code: Annotated[str | None, Blank] = Field(default=None, title="落地园区")
    fields: Annotated[list[str], Distinct] = Field(default=[], title="优先领域", max_length=6)
    industry_code: Annotated[str | None, Blank] = Field(default=None, title="所属行业")
    keywords: Annotated[list[Line], Distinct] = Field(default=[], title="关键词", max_length=MOST_KEYWORDS)
    modes: Annotated[list[Mode], Distinct] = Field(default=[], title="合作方式", max_length=len(Mode))
    price_kind: PriceKind = Field(default=PriceKind.UNKNOWN, title="金额说明")
    price_low: Money = Field(default=None, title="最低金额")
    price_high: Money = Field(default=None, title="最高金额")
    indicators: list[Indicator] = Field(default=[], title="技术指标", max_length=MOST_INDICATORS)
    contact_name: Line = Field(default="", title="联系人", max_length=60)
    contact_phone: Line = Field(default="", title="联系电话", max_length=40)
    contact_email: Line = Field(default="", title="联系邮箱", max_length=254)
    visibility: Visibility = Field(default=Visibility.PUBLIC, title="公开范围")
    is_anonymous: bool = Field(default=False, title="隐去单位名称")
    deadline_on: Day = Field(default=None, title="截止日期")

    maturity: Annotated[Maturity | None, Blank] = Field(default=None, title="成熟度")
    trl: Readiness = Field(default=None, title="技术就绪等级")
    ip_kinds: Annotated[list[IpKind], Distinct] = Field(default=[], title="知识产权类型", max_length=len(IpKind))
    ip_status: Annotated[IpStatus | None, Blank] = Field(default=None, title="知识产权状态")

    needs_maturity: Annotated[Maturity | None, Blank] = Field(default=None, title="要求的成熟度")
    wants_regions: Annotated[list[str], Distinct] = Field(default=[], title="希望的合作地区", max_length=3)
    baseline: Block = Field(default="", title="现有基础", max_length=5000)
    hopes_for_voucher: bool = Field(default=False, title="希望使用创新券")

    @field_validator("keywords", mode="after")
    @classmethod
    def _short_keywords(cls, keywords: list[str]) -> list[str]:
        for keyword in keywords:
            if len(keyword) > 30:  # noqa: PLR2004 - the sentence names it
                raise PydanticCustomError("app", "“{word}…”太长，每个关键词最多 30 个字", {"word": keyword[:10]})
        return [keyword for keyword in keywords if keyword]

    @field_validator("region_code", "park_code", "fields", "industry_code", "wants_regions", mode="after")
    @classmethod
    def _known_code(cls, value: Any, info: ValidationInfo) -> Any:
        catalogue: Catalogue | None = info.context
        if catalogue is None or value is None:
            return value
        known: Mapping[str, Mapping[str, object]] = {
            "region_code": catalogue.regions,
            "wants_regions": catalogue.regions,
            "park_code": catalogue.parks,
            "fields": catalogue.fields,
            "industry_code": catalogue.industries,
        }
        for code in [value] if isinstance(value, str) else value:
            if code not in known[info.field_name or ""]:
                raise PydanticCustomError("app", "没有“{code}”这个选项，请从列出的选项中选择", {"code": code[:20]})
        return value

    @field_validator("contact_phone", mode="after")
    @classmethod
    def _plausible_phone(cls, phone: str) -> str:
        if phone and not PHONE.fullmatch(unicodedata.normalize("NFKC", phone)):
            raise ValueError("联系电话应只有数字、加号、横线和括号，6 到 40 位。")
        return phone

    @field_validator("contact_email", mode="after")
    @classmethod
    def _plausible_address(cls, address: str) -> str:
        if not address:
            return address
        try:
            return validate_email(address, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            raise ValueError("联系邮箱应写成 name@example.com 这样的地址。") from None

    @model_validator(mode="after")
    def _money_agrees(self) -> Self:
        has_amount = self.price_low is not None or self.price_high is not None
        if self.price_kind is PriceKind.RANGE and not has_amount:
            raise PydanticCustomError("at:price_low", "选择“区间”时，请至少填写最低或最高金额")
        if self.price_low is not None and self.price_high is not None and self.price_high < self.price_low:
            raise PydanticCustomError("at:price_low", "最高金额不能小于最低金额")
        return self

    @property
    def low_yuan(self) -> int | None:
        """Return the lower amount in yuan, when a range is given."""
        return self._yuan(self.price_low)

    @property
    def high_yuan(self) -> int | None:
        """Return the upper amount in yuan, when a range is given."""
        return self._yuan(self.price_high)

    def _yuan(self, wan: Decimal | None) -> int | None:
        return int(wan * YUAN_PER_WAN) if wan is not None and self.price_kind is PriceKind.RANGE else None

    def as_content(self) -> dict[str, Any]:
        """Return everything written, as plain JSON values."""
        return self.model_dump(mode="json")

    def content_hash(self) -> str:
        """Return the SHA-256 of everything written, 64 hex digits; the same content has the same hash."""
        canonical = json.dumps(self.as_content(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class PublishableForm(ListingForm):
    """What a listing must have before anyone reviews it; a draft may lack the rest."""

    summary: Line = Field(title="简介", min_length=10, max_length=300)
    description: Block = Field(title="详细说明", min_length=20, max_length=20_000)
    modes: Annotated[list[Mode], Distinct] = Field(title="合作方式", min_length=1, max_length=len(Mode))


SUPPLY_ONLY = ("maturity", "trl", "ip_kinds", "ip_status")
DEMAND_ONLY = ("needs_maturity", "wants_regions", "baseline", "hopes_for_voucher")
LISTS = ("fields", "modes", "ip_kinds", "wants_regions")
TICKS = ("is_anonymous", "hopes_for_voucher")
INDICATOR_FIELD = re.compile(r"indicators-(\d{1,3})-(?:name|op|value|value_to|unit|condition)")
# A suggested field is adopted by a button of its own, which sends its code beside the ticked ones.
ADOPTED = "adopt"


def read_listing(form: SubmittedForm, *, kind: Kind, catalogue: Catalogue, is_draft: bool) -> ListingForm:
    """Read the posting form. Raises: Invalid."""
    return check_listing(collect_values(form, kind=kind), catalogue=catalogue, is_draft=is_draft)


def check_listing(values: Mapping[str, Any], *, catalogue: Catalogue, is_draft: bool) -> ListingForm:
    """Hold plain values to the rules of a draft or of a listing to publish. Raises: Invalid."""
    return validate(ListingForm if is_draft else PublishableForm, values, context=catalogue)


def fields_of(kind: Kind) -> list[str]:
    """Return the names of what a listing of one kind may say, in the order of the form."""
    foreign = DEMAND_ONLY if kind is Kind.SUPPLY else SUPPLY_ONLY
    return [name for name in ListingForm.model_fields if name not in foreign]


def collect_values(form: SubmittedForm, *, kind: Kind) -> dict[str, Any]:
    """Return what was typed into the posting form, by field, without judging it."""
    values: dict[str, Any] = {}
    for name in fields_of(kind):
        if name in LISTS:
            adopted = form.every(ADOPTED) if name == "fields" else []
            values[name] = [value for value in [*form.every(name), *adopted] if value]
        elif name in TICKS:
            values[name] = bool(form.first(name))
        elif name == "keywords":
            values[name] = [word for word in KEYWORD_SEPARATORS.split(form.first(name)) if word]
        elif name == "indicators":
            values[name] = _collect_indicators(form)
        elif name in form.values:
            values[name] = form.first(name)
    return values


def count_indicator_rows(form: SubmittedForm) -> int:
    """Return how many rows the submitted table of indicators had, filled or not."""
    return max((int(found[1]) + 1 for name in form.values if (found := INDICATOR_FIELD.fullmatch(name))), default=0)


def _collect_indicators(form: SubmittedForm) -> list[dict[str, str]]:
    """Return the rows of the indicator table that have anything in them, in order."""
    rows = []
    for number in range(count_indicator_rows(form)):
        name, value, value_to, unit, condition, operator = (
            form.first(f"indicators-{number}-{part}")
            for part in ("name", "value", "value_to", "unit", "condition", "op")
        )
        if not any(text.strip() for text in (name, value, unit, condition)):
            continue
        typed = {"op": operator, "value": value, "value_to": value_to, "unit": unit}
        figure = {key: text for key, text in typed.items() if text} if operator else read_figure(value, unit)
        rows.append({"name": name, "condition": condition, **figure})
    return rows
