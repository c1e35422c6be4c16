"""What a demand and a supply say in different words: told only where both really say it."""

import pytest
from test_passages import market

from models.counterparts import Relation, find_counterparts
from models.features import PairText
from models.text import normalise
from models.thesaurus import Group, Thesaurus, lower, shipped

SMALL = Thesaurus(
    [
        Group(("电池管理系统", "BMS")),
        Group(("室内分布系统", "室分系统", "室分")),
        Group(("鼓包", "电芯鼓包"), ("产气抑制添加剂", "预充化成")),
    ]
)


def texts(demand: str, supply: str) -> list[str]:
    return [one.text for one in find_counterparts(SMALL, PairText(demand), PairText("成果", "", supply))]


@pytest.mark.parametrize(
    ("demand", "supply", "told"),
    [
        ("电池管理系统标定", "车规 BMS 平台", ["电池管理系统 = BMS"]),
        ("bms 标定", "電池管理系統平臺", ["bms = 电池管理系统"]),
        ("电芯总鼓包", "含产气抑制添加剂的电解液", ["鼓包 → 产气抑制添加剂"]),
        ("含产气抑制添加剂的电解液", "电芯总鼓包", []),
        ("电芯总鼓包", "电解液", []),
        ("电池管理系统（BMS）", "BMS 平台", []),
        ("电池管理系统", "电池管理系统（BMS）", []),
        ("电池管理系统", "ABMSX 平台", []),
        ("室分系统", "室分器件", []),
        ("BMS，鼓包，BMS", "电池管理系统；预充化成", ["BMS = 电池管理系统", "鼓包 → 预充化成"]),
    ],
)
def test_a_counterpart_stands_on_both_sides_and_is_not_said_alike(demand, supply, told):
    assert texts(demand, supply) == told


def holds(text: PairText, term: str) -> bool:
    return term in normalise(f"{text.title}\n{text.keywords}\n{text.body}")


def test_every_counterpart_of_the_market_stands_on_its_own_side():
    written, expects = market()
    supplies = [key for key in written if key not in expects]
    told = []
    for number, (demand, keys) in enumerate(expects.items()):
        for supply in {*keys, *supplies[number % 4 :: 4]}:
            for one in find_counterparts(shipped(), written[demand], written[supply]):
                told.append(one)
                assert holds(written[demand], one.demand_term)
                assert holds(written[supply], one.supply_term)
                assert not holds(written[supply], one.demand_term)
                known = shipped().answers if one.relation is Relation.ANSWER else shipped().equivalents
                assert lower(one.supply_term) in map(lower, known(lower(one.demand_term)))
    assert len(told) >= 8
