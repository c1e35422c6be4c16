"""What a demand asks for, held against what a supply states."""

from datetime import UTC, datetime

import pytest
from factories import listing_form

from backend.listings.forms import Indicator
from backend.listings.tables import Kind, Maturity, Mode
from backend.matching.posted import unposted_bundle
from backend.matching.requirements import compare

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def held(platform, wanted: dict, offered: dict) -> tuple:
    """Return the lines of a demand held against a supply, both given by what they state."""
    plain = {"modes": [], "price_kind": "unknown", "price_low": None, "price_high": None}
    demand = unposted_bundle(listing_form(**{**plain, **wanted}), kind=Kind.DEMAND, now=NOW)
    supply = unposted_bundle(listing_form(**{**plain, **offered}), kind=Kind.SUPPLY, now=NOW)
    return compare(demand, supply, platform.catalogue)


def figure(text: str, name: str = "接触阻抗") -> list[Indicator]:
    op, value, unit = text.split()
    low, _, high = value.partition("~")
    return [Indicator(name=name, op=op, value=float(low), value_to=float(high) if high else None, unit=unit)]


@pytest.mark.parametrize(
    ("wanted", "offered", "status"),
    [
        ("<= 50 kΩ", "= 32 kΩ", "met"),
        ("<= 50 kΩ", "= 80 kΩ", "missed"),
        ("<= 50 kΩ", "= 32000 Ω", "met"),
        ("<= 5 kΩ", "= 4 MΩ", "missed"),
        (">= 10 mW", "= 1 MW", "met"),
        (">= 10 MW", "= 20 mW", "missed"),
        (">= 10 MPa", "= 20 mPa", "unknown"),
        (">= 98 %", ">= 99 %", "met"),
        (">= 98 %", ">= 95 %", "missed"),
        (">= 3 h", "<= 5 h", "unknown"),
        ("<= 3 h", ">= 1 h", "unknown"),
        ("range 5~10 ℃", "range 6~9 ℃", "met"),
        ("range 5~10 ℃", "range 6~12 ℃", "missed"),
        ("= 7 个", ">= 5 个", "met"),
        ("<= 200 ms", "= 0.1 s", "met"),
        (">= 8 KHZ", "= 9 kHz", "met"),
        (">= 300 Wh/kg", "= 310 Wh/L", "unknown"),
    ],
)
def test_figures_are_compared_in_their_own_unit(platform, wanted, offered, status):
    lines = held(platform, {"indicators": figure(wanted)}, {"indicators": figure(offered)})

    assert [line.status for line in lines] == [status]
    assert lines[0].is_figure


def test_a_figure_that_is_not_stated_is_unknown_and_never_missed(platform):
    lines = held(platform, {"indicators": figure("<= 50 kΩ")}, {"indicators": figure("= 32 通道", name="通道数")})

    assert [line.status for line in lines] == ["unknown"]


def test_the_quote_of_a_figure_is_a_sentence_of_the_supply(platform):
    description = "样机已装车。坐稳两分钟后接触阻抗 32 kΩ，可重复。下一版在做。"

    lines = held(
        platform, {"indicators": figure("<= 50 kΩ")}, {"indicators": figure("= 32 kΩ"), "description": description}
    )

    assert lines[0].quote == "坐稳两分钟后接触阻抗 32 kΩ，可重复"
    assert lines[0].quote in description


def test_what_a_demand_leaves_open_is_no_requirement(platform):
    assert held(platform, {}, {"maturity": Maturity.SAMPLE, "modes": [Mode.LICENCE]}) == ()


def test_maturity_money_modes_and_place_each_make_a_line(platform):
    wanted = {
        "needs_maturity": Maturity.PILOT_TESTED,
        "price_kind": "range",
        "price_low": 10,
        "price_high": 100,
        "modes": [Mode.LICENCE],
        "wants_regions": ["110000"],
    }
    offered = {
        "maturity": Maturity.BENCH_TESTED,
        "price_kind": "range",
        "price_low": 200,
        "price_high": 300,
        "modes": [Mode.TRANSFER],
        "region_code": "120116",
    }

    lines = held(platform, wanted, offered)

    assert [line.status for line in lines] == ["missed"] * 4
    assert not any(line.is_figure for line in lines)
    assert "目前通过小试" in lines[0].note
    assert "200–300 万元" in lines[1].note


def test_what_the_supply_leaves_open_is_unknown(platform):
    wanted = {"needs_maturity": Maturity.SAMPLE, "price_kind": "range", "price_high": 100, "modes": [Mode.LICENCE]}

    lines = held(platform, wanted, {})

    assert [line.status for line in lines] == ["unknown"] * 3
