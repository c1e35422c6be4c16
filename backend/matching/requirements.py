"""What a demand asks for, one by one, against what a supply states: met, missed, or not said.

Missing is unknown, never a miss. Every line is a sentence that names both sides' figures.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backend.listings.cards import indicator_value, price_text
from backend.listings.repository import ListingBundle
from backend.listings.tables import DemandDetail, PriceKind, SupplyDetail
from backend.policy.catalogue import Catalogue
from models.text import normalise

Status = Literal["met", "missed", "unknown"]
UNIT_SPELLINGS = str.maketrans({"μ": "µ", "·": "", " ": "", "⋅": "", "^": "", "²": "2", "³": "3"})
# Units that can be converted; anything else compares only with itself. Case tells mW from MW and mm from Mm, so it
# counts, but for the units of `SLOPPY`, which have one meaning however they are typed.
SCALES = {
    "nm": ("m", 1e-9), "µm": ("m", 1e-6), "um": ("m", 1e-6), "mm": ("m", 1e-3), "cm": ("m", 1e-2), "m": ("m", 1.0),
    "km": ("m", 1e3), "ns": ("s", 1e-9), "µs": ("s", 1e-6), "us": ("s", 1e-6), "ms": ("s", 1e-3), "s": ("s", 1.0),
    "min": ("s", 60.0), "h": ("s", 3600.0), "小时": ("s", 3600.0), "分钟": ("s", 60.0), "秒": ("s", 1.0),
    "毫秒": ("s", 1e-3), "d": ("s", 86400.0), "天": ("s", 86400.0), "µg": ("g", 1e-6), "mg": ("g", 1e-3),
    "g": ("g", 1.0), "kg": ("g", 1e3), "t": ("g", 1e6), "吨": ("g", 1e6), "千克": ("g", 1e3), "公斤": ("g", 1e3),
    "Hz": ("Hz", 1.0), "kHz": ("Hz", 1e3), "MHz": ("Hz", 1e6), "GHz": ("Hz", 1e9), "kbps": ("bps", 1e3),
    "Mbps": ("bps", 1e6), "Gbps": ("bps", 1e9), "KB": ("B", 1e3), "MB": ("B", 1e6), "GB": ("B", 1e9),
    "TB": ("B", 1e12), "µL": ("L", 1e-6), "mL": ("L", 1e-3), "L": ("L", 1.0), "µV": ("V", 1e-6), "mV": ("V", 1e-3),
    "V": ("V", 1.0), "kV": ("V", 1e3), "µA": ("A", 1e-6), "mA": ("A", 1e-3), "A": ("A", 1.0), "mΩ": ("Ω", 1e-3),
    "Ω": ("Ω", 1.0), "kΩ": ("Ω", 1e3), "MΩ": ("Ω", 1e6), "µW": ("W", 1e-6), "mW": ("W", 1e-3), "W": ("W", 1.0),
    "kW": ("W", 1e3), "MW": ("W", 1e6), "GW": ("W", 1e9), "Pa": ("Pa", 1.0), "kPa": ("Pa", 1e3), "MPa": ("Pa", 1e6),
    "GPa": ("Pa", 1e9), "元": ("元", 1.0), "万元": ("元", 1e4), "%": ("%", 1.0), "℃": ("℃", 1.0), "°C": ("℃", 1.0),
}  # fmt: skip
SLOPPY = {
    unit.lower(): unit
    for unit in ("km", "kg", "min", "Hz", "kHz", "GHz", "kbps", "Gbps", "KB", "GB", "TB", "kV", "kW", "kPa", "GPa", "L")
}
TOLERANCE = 1e-9
BIGRAM = 2
SAME_NAME_SHARE = 0.7
VERBS: Mapping[Status, str] = {"met": "达到", "missed": "为", "unknown": "只说明"}


@dataclass(frozen=True)
class Requirement:
    """One thing a demand asks for and whether the supply answers it; `quote` is a part of the supply's own text."""

    status: Status
    text: str
    note: str = ""
    quote: str = ""
    is_figure: bool = False
    """Whether it stands in the tables of figures, which a listing may keep for technology managers."""


def compare(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> tuple[Requirement, ...]:
    """Hold a supply against everything its demand asks for; what the demand leaves open is no requirement."""
    if demand.demand is None or supply.supply is None:
        raise ValueError(f"not a demand and a supply: {demand.listing.kind}, {supply.listing.kind}")
    return (
        *_indicators(demand, supply),
        *_maturity(demand.demand, supply.supply),
        *_money(demand, supply),
        *_modes(demand, supply),
        *_place(demand.demand, supply, catalogue),
    )


def _indicators(demand: ListingBundle, supply: ListingBundle) -> Iterator[Requirement]:
    for wanted in demand.listing.indicators:
        asked = f"{wanted['name']} {indicator_value(wanted)} {wanted.get('unit', '')}".strip()
        offered = _same_indicator(wanted, supply.listing.indicators)
        if offered is None:
            yield Requirement("unknown", asked, "成果没有给出这一项指标", is_figure=True)
            continue
        stated = f"{indicator_value(offered)} {offered.get('unit', '')}".strip()
        condition = f"（{offered['condition']}）" if offered.get("condition") else ""
        status = _status(wanted, offered)
        quote = _sentence_with(supply.listing.description, offered)
        yield Requirement(status, asked, f"成果{VERBS[status]} {stated}{condition}", quote, is_figure=True)


def _same_indicator(wanted: dict[str, Any], offered: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the figure of the same name whose unit can be compared, the closest name first."""
    comparable = [entry for entry in offered if _scale(wanted)[0] == _scale(entry)[0]]
    named = [(name_likeness(wanted["name"], entry["name"]), entry) for entry in comparable]
    best = max(named, key=lambda item: item[0], default=(0.0, None))
    return best[1] if best[0] >= SAME_NAME_SHARE else None


def name_likeness(one: str, other: str) -> float:
    """Return how alike two names of figures are, 0 to 1: the share of character pairs of the shorter in the longer."""
    a, b = _plain(one), _plain(other)
    if a == b:
        return 1.0
    shorter, longer = sorted((_bigrams(a), _bigrams(b)), key=len)
    return len(shorter & longer) / len(shorter) if shorter else 0.0


def _plain(name: str) -> str:
    return re.sub(r"[\s（）()的·\-]", "", normalise(name)).lower()


def _bigrams(text: str) -> set[str]:
    return {text[start : start + BIGRAM] for start in range(len(text) - 1)} or ({text} if text else set())


def _scale(indicator: dict[str, Any]) -> tuple[str, float]:
    """Return the base unit of a figure and the factor to it."""
    unit = unicodedata.normalize("NFC", indicator.get("unit", "")).translate(UNIT_SPELLINGS)
    unit = unit if unit in SCALES else SLOPPY.get(unit.lower(), unit)
    return SCALES.get(unit, (unit, 1.0))


def _status(wanted: dict[str, Any], offered: dict[str, Any]) -> Status:
    """Say whether an offered figure fulfils a wanted one; at most 5 says nothing of at least 3."""
    if {wanted["op"], offered["op"]} == {">=", "<="}:
        return "unknown"
    return "met" if _satisfies(wanted, offered) else "missed"


def _satisfies(wanted: dict[str, Any], offered: dict[str, Any]) -> bool:
    """Tell whether an offered figure fulfils a wanted one. A supply's ≥ 5 promises no less than 5, its ≤ 5 no more."""
    low, high = _interval(offered)
    ask_low, ask_high = _interval(wanted)
    slack = TOLERANCE * max(*(abs(end) for end in (ask_low, ask_high) if math.isfinite(end)), 0.0)
    return {
        ">=": low >= ask_low - slack,
        "<=": high <= ask_high + slack,
        "range": low >= ask_low - slack and high <= ask_high + slack,
        "=": low - slack <= ask_low <= high + slack,
    }[wanted["op"]]


def _interval(indicator: dict[str, Any]) -> tuple[float, float]:
    """Return what a figure says as an interval in its base unit."""
    factor = _scale(indicator)[1]
    value = float(indicator["value"]) * factor
    if indicator["op"] == "range":
        return value, float(indicator["value_to"]) * factor
    if indicator["op"] == ">=":
        return value, float("inf")
    if indicator["op"] == "<=":
        return float("-inf"), value
    return value, value


def _sentence_with(text: str, indicator: dict[str, Any]) -> str:
    """Return the sentence of a text that states this figure, or nothing; always a part of the text as it stands."""
    number = re.escape(f"{indicator['value']:.10g}")
    unit = re.escape(indicator.get("unit", ""))
    found = re.search(rf"(?<![\d.]){number}(?![\d.])\s*{unit}", text)
    if not found:
        return ""
    start = max((text.rfind(mark, 0, found.start()) for mark in "。；\n"), default=-1) + 1
    ends = [place for mark in "。；\n" if (place := text.find(mark, found.end())) >= 0]
    return text[start : min(ends, default=len(text))].strip()


def _maturity(demand: DemandDetail, supply: SupplyDetail) -> Iterator[Requirement]:
    if demand.needs_maturity is None:
        return
    asked = f"成熟度不低于“{demand.needs_maturity.label}”"
    if supply.maturity is None:
        yield Requirement("unknown", asked, "成果没有说明成熟度")
    elif supply.maturity.step >= demand.needs_maturity.step:
        yield Requirement("met", asked, f"成果{supply.maturity.label}")
    else:
        yield Requirement("missed", asked, f"成果目前{supply.maturity.label}")


def _money(demand: ListingBundle, supply: ListingBundle) -> Iterator[Requirement]:
    budget, price = demand.listing, supply.listing
    if budget.price_kind is not PriceKind.RANGE:
        return
    asked = f"预算 {price_text(budget.price_kind, budget.price_low, budget.price_high)}"
    stated = price_text(price.price_kind, price.price_low, price.price_high)
    if price.price_kind is not PriceKind.RANGE:
        yield Requirement("unknown", asked, f"成果报价{stated}")
        return
    most = budget.price_high if budget.price_high is not None else float("inf")
    least = price.price_low if price.price_low is not None else 0
    status: Status = "met" if least <= most else "missed"
    yield Requirement(status, asked, f"成果报价 {stated}")


def _modes(demand: ListingBundle, supply: ListingBundle) -> Iterator[Requirement]:
    if not demand.modes:
        return
    asked = "合作方式：" + "、".join(mode.label for mode in demand.modes)
    shared = [mode.label for mode in demand.modes if mode in supply.modes]
    if not supply.modes:
        yield Requirement("unknown", asked, "成果没有说明合作方式")
    elif shared:
        yield Requirement("met", asked, "成果方也接受" + "、".join(shared))
    else:
        yield Requirement("missed", asked, "成果方只接受" + "、".join(mode.label for mode in supply.modes))


def _place(demand: DemandDetail, supply: ListingBundle, catalogue: Catalogue) -> Iterator[Requirement]:
    if not demand.wants_regions:
        return
    asked = "合作方所在地：" + "、".join(catalogue.region(code).short for code in demand.wants_regions)
    here = supply.listing.region_code
    is_there = any(catalogue.contains(wanted, here) for wanted in demand.wants_regions)
    yield Requirement("met" if is_there else "missed", asked, f"成果方在{catalogue.province_of(here).short}")
