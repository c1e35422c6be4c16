from pathlib import Path

import pytest

from backend.policy.catalogue import load_catalogue
from backend.policy.service import suggest_fields

CATALOGUE = load_catalogue(Path(__file__).parents[3] / "seeds" / "reference")


def suggested(text):
    return [suggestion.field for suggestion in suggest_fields(text, CATALOGUE)]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("面向RISC-V处理器的操作系统移植，已适配两款开发板。", ["computing"]),
        ("数据库所在的服务器多次宕机，希望换成分布式存储。", ["computing"]),
        ("矿井里自组网掉线，丢包严重，需要抗干扰的无线方案。", ["communications"]),
        ("毫米波相控阵天线的波束赋形算法和样机。", ["communications"]),
        ("动力电池低温快充时析锂，想要电池管理策略。", ["vehicles"]),
        ("用激光雷达与毫米波雷达融合做车路协同的路侧感知。", ["vehicles"]),
        ("干电极脑电帽，用于运动想象脑机接口的康复训练。", ["brain"]),
        ("术中监测麻醉深度，并提示癫痫放电。", ["brain"]),
        ("CHO细胞灌流培养的单抗，亲和层析后聚体偏高。", ["biopharma"]),
        ("mRNA疫苗用脂质纳米颗粒的连续混合装置。", ["biopharma"]),
        ("丹参与黄芪提取物的指纹图谱一测多评方法。", ["tcm"]),
        ("配方颗粒喷雾干燥粘壁，收膏率波动大。", ["tcm"]),
    ],
)
def test_a_sentence_of_a_field_suggests_it(text, fields):
    assert suggested(text) == fields


@pytest.mark.parametrize(
    "text",
    [
        "",
        "冬小麦新品种，亩产五百五十公斤，抗倒伏。",
        "针织围巾容易起球，寻求防起球的整理工艺。",
        "这款电机噪声大。",
        "名叫 xcpu 与 gpux 的两只猫。",
    ],
)
def test_a_text_about_other_things_suggests_nothing(text):
    assert suggested(text) == []


def test_a_text_between_two_fields_suggests_both():
    text = "脑机接口解码算法固化到FPGA，处理器与固件自研，脑电采集由微电极完成。"

    assert set(suggested(text)) == {"brain", "computing"}


def test_the_evidence_is_what_was_met_and_the_fields_own_terms_come_first():
    (suggestion,) = suggest_fields("汽车动力电池的 BMS 与电机", CATALOGUE)

    assert suggestion.field == "vehicles"
    assert suggestion.terms[0] == "动力电池"
    assert set(suggestion.terms[1:]) == {"汽车", "BMS", "电机"}


def test_the_longest_term_hides_the_shorter_ones_in_it():
    (suggestion,) = suggest_fields("车载毫米波雷达", CATALOGUE)

    assert set(suggestion.terms) == {"车载", "毫米波雷达"}


def test_case_and_blanks_do_not_matter():
    assert suggest_fields("risc-v 微 内 核", CATALOGUE) == suggest_fields("RISC-V微内核", CATALOGUE)


def test_latin_words_are_told_apart_by_their_blanks():
    assert suggested("a wearable EEG cap") == ["brain"]


def test_saying_a_supporting_term_often_proves_no_field():
    assert suggested("电机，" * 50) == []
