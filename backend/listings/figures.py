"""One figure as people type it (≥ 98, 5–10 ℃, 不超过 18 元) and as it is kept (comparison, number, unit)."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

AT_LEAST, AT_MOST, EXACTLY, BETWEEN = ">=", "<=", "=", "range"
SIGNS: Mapping[str, str] = {
    **dict.fromkeys((">=", "≥", "≧", "⩾", "不低于", "不小于", "不少于", "至少", "大于等于", "大于或等于"), AT_LEAST),
    **dict.fromkeys(
        ("<=", "≤", "≦", "⩽", "不高于", "不大于", "不超过", "不多于", "至多", "小于等于", "小于或等于"), AT_MOST
    ),
    **dict.fromkeys(("=", "等于"), EXACTLY),
}
ENDINGS: Mapping[str, str] = {"以上": AT_LEAST, "以下": AT_MOST, "以内": AT_MOST}
NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d{1,3})?"
SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
FIGURE = re.compile(
    rf"(?P<sign>{SIGN})?\s*(?P<value>{NUMBER})(?:\s*(?:[-–—~]|至|到)\s*(?P<value_to>{NUMBER}))?\s*(?P<rest>[^\d\s<>=].*)?"
)
SHOWN_SIGNS = {AT_LEAST: "≥ ", AT_MOST: "≤ "}
LONGEST_FIGURE = 80
# Beyond this many digits a number is written with an exponent.
LONGEST_DIGITS = 18


def read_figure(text: str, unit: str) -> dict[str, str]:
    """Return the parts of a typed figure by name; what is not understood comes back whole, as the value.

    A unit typed behind the number is taken as the unit where none was given.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = FIGURE.fullmatch(plain) if len(plain) <= LONGEST_FIGURE else None
    if found is None:
        return {"value": text, "unit": unit}
    operator = SIGNS.get(found["sign"] or "=", EXACTLY)
    rest = (found["rest"] or "").strip()
    for ending, meaning in ENDINGS.items():
        if rest.endswith(ending) and not found["sign"]:
            operator, rest = meaning, rest.removesuffix(ending).strip()
    if rest and unit and rest != unicodedata.normalize("NFKC", unit).strip():
        return {"value": text, "unit": unit}
    if found["value_to"] and operator != EXACTLY:
        return {"value": text, "unit": unit}
    figure = {"op": BETWEEN if found["value_to"] else operator, "value": found["value"], "unit": unit or rest}
    return {**figure, "value_to": found["value_to"]} if found["value_to"] else figure


def write_figure(indicator: Mapping[str, Any]) -> str:
    """Return a kept figure as `read_figure` understands it, without its unit and without loss."""
    value, value_to = _plain(indicator.get("value")), _plain(indicator.get("value_to"))
    operator = indicator.get("op", EXACTLY)
    if operator == BETWEEN:
        return f"{value}–{value_to}" if value_to else value
    return f"{SHOWN_SIGNS.get(operator, '')}{value}"


def _plain(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    exact = Decimal(repr(value)).normalize()
    digits = f"{exact:f}"
    return digits if len(digits) <= LONGEST_DIGITS else repr(value)
