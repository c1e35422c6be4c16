import re
import sys
import unicodedata
from itertools import pairwise

import pytest
import rjieba
from hypothesis import given
from hypothesis import strategies as st

from models.text import HAN, normalise, sentences, tokens, words

SIMPLIFIED = "程序文件显著提高,向量建立,核心元件,图像序列,土著,乾隆,瞭望塔,支援"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ＬｉＦｅＰＯ４　电池", "LiFePO4 电池"),
        ("CO₂，５０℃", "CO2,50°C"),
        ("人\u200b工\u2060智\ufeff能", "人工智能"),
        ("供\u202e需\u2066对接\u2069", "供需对接"),
        ("soft\xadware", "software"),
        ("电\x00池\ud800", "电池"),
        ("e\u200b\u0301", "é"),
        ("葛\U000e0100城", "葛城"),
        ("精 准 治 疗", "精准治疗"),
        ("新能源汽\n车", "新能源汽车"),
        ("新能源汽\r\n  车", "新能源汽车"),
        ("deep  learning 算 法", "deep learning 算法"),
        ("first line\nsecond line", "first line\nsecond line"),
        ("第一段。\n \n\n第二段", "第一段。\n\n第二段"),
        ("  前后  ", "前后"),
        ("", ""),
    ],
)
def test_the_same_words_become_the_same_characters(text, normal):
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("智慧網聯汽車", "智能网联汽车"),
        ("基礎軟硬體", "基础软硬件"),
        ("積體電路與軟體", "集成电路与软件"),
        ("生物製藥的品質", "生物制药的质量"),
        ("電腦軟體", "计算机软件"),
        ("組分中藥產業", "组分中药产业"),
        ("産業網路", "产业网络"),
        ("顯著提高核心技術，建立向量資料庫", "显著提高核心技术,建立向量数据库"),
    ],
)
def test_traditional_text_is_folded_by_word(traditional, simplified):
    assert normalise(traditional) == simplified


def test_simplified_text_is_never_folded_again():
    assert normalise(SIMPLIFIED) == SIMPLIFIED


def test_in_a_mixed_text_each_sentence_is_folded_by_what_it_is_itself():
    mixed = "我们支援运行。軟體的程式支援。我们的電池支援。"

    assert normalise(mixed) == "我们支援运行。软件的程序支持。我们的电池支援。"


def test_a_synonym_is_replaced_where_it_is_a_word_and_nowhere_else():
    assert normalise("电脑与网路安全") == "计算机与网络安全"
    assert normalise("电网路径规划") == "电网路径规划"
    assert normalise("软体机器人") == "软体机器人"


@given(
    st.text(st.characters(codec="utf-16", categories=None) | st.sampled_from("电電网網 \n，。路\u200b"), max_size=40)
)
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)

    assert normalise(once) == once


@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_text_can_break_segmentation(text):
    assert all(token.strip() for token in tokens(text))
    assert not any(unicodedata.category(char) in {"Cs", "Cc"} for char in normalise(text) if char != "\n")


def test_tokens_are_words_then_bigrams_with_latin_in_lower_case():
    assert tokens("固态电池 LiFePO4，3.5 mm") == ["固态电池", "lifepo4", "3.5", "mm", "固态", "态电", "电池"]


def test_bigrams_do_not_cross_what_is_not_han():
    assert tokens("电池A隔膜") == ["电池", "a", "隔膜", "电池", "隔膜"]


def test_words_keep_the_terms_of_the_six_fields_whole():
    text = "智能网联汽车的脑机接口与组分中药"

    assert words(text) == ["智能网联", "汽车", "的", "脑机接口", "与", "组分中药"]


def test_our_words_do_not_reach_the_segmenter_that_others_share():
    words("组分中药")

    assert "组分中药" not in rjieba.cut("组分中药")


def test_words_know_the_languages_named_with_signs():
    assert words("C++、C# 与 Go") == ["c++", "c#", "与", "go"]


def test_sentences_are_spans_of_the_text_as_given():
    text = "  研制 3.5 mm 的电池！“可以。”他说；\n换\n行也是一句\n\n1. 第二段 "

    assert [text[start:end] for start, end in sentences(text)] == [
        "研制 3.5 mm 的电池！",
        "“可以。”",
        "他说；",
        "换\n行也是一句",
        "1. 第二段",
    ]


@given(st.text(st.sampled_from("电池a1.。！\n ，”;；"), max_size=40))
def test_sentences_are_in_order_apart_and_lose_no_word(text):
    spans = sentences(text)

    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    inside = "".join(text[start:end] for start, end in spans)
    assert re.sub(r"[\W_]", "", inside) == re.sub(r"[\W_]", "", text)


def test_the_han_class_has_what_is_beyond_the_basic_plane():
    assert re.fullmatch(f"[{HAN}]+", "\U00020bb7〇々")
    assert sys.maxunicode == 0x10FFFF
