"""What people submit: read once, held to the rules of text, and turned into typed values or Chinese sentences."""

import re
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.datastructures import UploadFile

from backend.errors import FieldError, Invalid
from backend.web import csrf

Model = TypeVar("Model", bound=BaseModel)
MAX_FIELDS = 400
MAX_FILES = 2
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
ALLOWED_CONTROLS = frozenset("\n\t")
SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True)
class SubmittedForm:
    """The fields of one form as they came: every name with its values in order, and the files beside."""

    values: Mapping[str, Sequence[str]]
    files: Mapping[str, UploadFile] = field(default_factory=dict)

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a field."""
        return next(iter(self.values.get(name, ())), default)

    def every(self, name: str) -> list[str]:
        """Return all values of a field, such as the ticked boxes of a group."""
        return list(self.values.get(name, ()))


async def _read_form(request: Request) -> AsyncIterator[SubmittedForm]:
    """Read the submitted form, check that it comes from our own page, and close its files afterwards."""
    submitted = await request.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
    try:
        values: dict[str, list[str]] = {}
        files: dict[str, UploadFile] = {}
        for name, value in submitted.multi_items():
            if isinstance(value, UploadFile):
                files[name] = value
            else:
                values.setdefault(name, []).append(value.replace("\r\n", "\n"))
        token = next(iter(values.pop(csrf.FIELD, [])), "") or request.headers.get(csrf.HEADER, "")
        csrf.check(request, token)
        yield SubmittedForm(values, files)
    finally:
        await submitted.close()


FormDep = Annotated[SubmittedForm, Depends(_read_form)]


def refused_character(text: str) -> str | None:
    """Return the name of the first character that no text may hold, or None.

    Refused are NUL and other control characters (but line feed and tab), lone surrogates, which no database stores,
    and the controls that reverse the reading direction, with which a text can show what it does not say.
    """
    for character in text:
        code = ord(character)
        if code in SURROGATES:
            return f"残缺字符 U+{code:04X}"
        if character in BIDI_CONTROLS:
            return f"文字方向控制符 U+{code:04X}"
        if character not in ALLOWED_CONTROLS and unicodedata.category(character) == "Cc":
            return f"控制字符 U+{code:04X}"
    return None


def _clean_block(value: Any) -> Any:
    """Trim a text of several lines and refuse characters that no text may hold."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    refused = refused_character(text)
    if refused:
        raise PydanticCustomError("refused_character", "含有不能保存的{name}，请删除后再提交", {"name": refused})
    return text


def _clean_line(value: Any) -> Any:
    """Trim a text of one line; line breaks become blanks."""
    cleaned = _clean_block(value)
    return re.sub(r"[\n\t\u2028\u2029]+", " ", cleaned) if isinstance(cleaned, str) else cleaned


def _clean_number(value: Any) -> Any:
    """Accept full-width digits and thousands separators; an empty field is no number."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFKC", value).replace(",", "").strip()
    return text or None


Line = Annotated[str, BeforeValidator(_clean_line)]
Block = Annotated[str, BeforeValidator(_clean_block)]
Number = BeforeValidator(_clean_number)
Blank = BeforeValidator(lambda value: None if value == "" else value)


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Distinct = AfterValidator(_distinct)

# What pydantic finds, said in Chinese; `{field}` is the field's title. Anything else falls back to the last sentence.
SENTENCES = {
    "missing": "请填写{field}。",
    "string_type": "{field}应是文字。",
    "string_too_short": "请填写{field}，至少 {min_length} 个字。",
    "string_too_long": "{field}太长：现有 {length} 个字，请缩短到 {max_length} 个字以内。",
    "int_parsing": "{field}应是整数，不能是“{input}”。",
    "int_type": "{field}应是整数。",
    "int_from_float": "{field}应是整数。",
    "float_parsing": "{field}应是数字，不能是“{input}”。",
    "decimal_parsing": "{field}应是数字，不能是“{input}”。",
    "decimal_type": "{field}应是数字。",
    "decimal_max_places": "{field}最多保留 {decimal_places} 位小数。",
    "decimal_whole_digits": "{field}太大。",
    "decimal_max_digits": "{field}太大或小数位太多。",
    "finite_number": "{field}应是一个有限的数。",
    "greater_than_equal": "{field}不能小于 {ge}。",
    "greater_than": "{field}应大于 {gt}。",
    "less_than_equal": "{field}不能大于 {le}。",
    "enum": "{field}没有“{input}”这个选项，请从列出的选项中选择。",
    "literal_error": "{field}没有“{input}”这个选项，请从列出的选项中选择。",
    "date_from_datetime_parsing": "{field}应写成 2026-11-22 这样的日期，不能是“{input}”。",
    "date_parsing": "{field}应写成 2026-11-22 这样的日期，不能是“{input}”。",
    "date_type": "{field}应是日期。",
    "too_long": "{field}最多 {max_length} 项，现有 {actual_length} 项。",
    "too_short": "{field}至少选择 {min_length} 项。",
    "bool_parsing": "{field}应是“是”或“否”。",
    "bool_type": "{field}应是“是”或“否”。",
    "list_type": "{field}应是列表。",
    "dict_type": "{field}应是对象。",
    "model_type": "{field}应是对象。",
    "model_attributes_type": "{field}应是对象。",
    "uuid_parsing": "{field}不是有效的编号。",
    "extra_forbidden": "没有“{field}”这一项。",
}
SHOWN_INPUT_LENGTH = 30
# A rule between fields raises PydanticCustomError("at:<field>", …) to say beside which field it is shown.
FIELD_ERROR = "at:"


def validate(model: type[Model], values: Mapping[str, Any], *, context: object = None) -> Model:
    """Turn submitted values into a typed form; `context` is what its rules may look things up in.

    Raises: Invalid, with one Chinese sentence for each field that is wrong and the values as they came.
    """
    try:
        return model.model_validate(values, context=context)
    except ValidationError as error:
        found = [_describe(model, detail) for detail in error.errors(include_url=False)]
        raise Invalid(found, values=values) from None


def _describe(model: type[BaseModel], detail: ErrorDetails) -> FieldError:
    """Say one pydantic finding as a sentence beside its field."""
    context = dict(detail.get("ctx") or {})
    name, title = _place(model, detail)
    kind = detail["type"]
    if kind == "value_error":
        return FieldError(name, str(context.get("error", "")))
    if kind.startswith(FIELD_ERROR):
        return FieldError(kind.removeprefix(FIELD_ERROR), f"{detail['msg']}。")
    if kind in {"app", "refused_character"}:
        return FieldError(name, f"{title}：{detail['msg']}。")
    sentence = SENTENCES.get(kind, "{field}填写有误，请检查。")
    given = detail["input"]
    length = len(given) if isinstance(given, str | list) else 0
    values = {**context, "field": title, "input": str(given)[:SHOWN_INPUT_LENGTH], "length": length}
    return FieldError(name, sentence.format(**values))


def _place(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str]:
    """Return the field an error belongs to and how people call it; a row of a list is counted from 1."""
    name = str(detail["loc"][0]) if detail["loc"] else ""
    known = model.model_fields.get(name)
    title = (known.title or name) if known else name
    row = detail["loc"][1] if len(detail["loc"]) > 1 else None
    return name, f"{title}第 {row + 1} 项" if isinstance(row, int) else title
