"""What the thesaurus finds in a text, what it knows of it, and that the shipped file says what was written by hand."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.expansion import EQUIVALENT_WEIGHT, alternatives, expanded_terms
from models.text import normalise, tokens
from models.thesaurus import GROUPS, SHIPPED, Group, Thesaurus, lower, place_of, shipped
from models.training import thesaurus as recipe

SMALL = Thesaurus(
    [
        Group(("电池管理系统", "BMS")),
        Group(("电池", "电瓶")),
        Group(("卒中", "中风")),
        Group(("毫米波雷达", "mmWave 雷达")),
        Group(("电芯鼓包", "电池鼓肚子"), ("产气抑制添加剂", "预充化成")),
    ]
)
PIECES = st.sampled_from(
    ["电池管理系统", "BMS", "bms", "ABMSX", "中风", "集中风险", "电芯鼓包", "İ", " ", "，", "雷达", "9"]
)


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in SMALL.find(text)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("动力电池管理系统标定", ["电池管理系统"]),
        ("用bms，或BMS-2；Bms板", ["bms", "BMS", "Bms"]),
        ("ABMSX、BMS2、ÄBMS", []),
        ("集中风险评估", []),
        ("中风康复", ["中风"]),
        ("mmwave 雷达", ["mmwave 雷达"]),
        ("电芯鼓包电池", ["电芯鼓包", "电池"]),
        ("", []),
        ("电", []),
    ],
)
def test_a_term_is_found_where_it_stands_for_itself_and_the_longest_wins(text, terms):
    assert found(text) == terms


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_found_stands_there_in_order_and_never_overlaps(text):
    end = 0
    for one in SMALL.find(text):
        assert end <= one.start < one.end
        assert lower(text)[one.start : one.end] == one.term
        assert place_of(one.term, lower(text)) >= 0
        end = one.end


def test_equivalents_go_both_ways_and_answers_one_way():
    assert SMALL.equivalents("电池管理系统") == ("BMS",)
    assert SMALL.equivalents("bms") == ("电池管理系统",)
    assert SMALL.answers("电池鼓肚子") == ("产气抑制添加剂", "预充化成")
    assert not SMALL.equivalents("电芯鼓包")
    assert not SMALL.answers("产气抑制添加剂")


def test_a_widened_query_keeps_its_own_weights_and_gives_another_name_less_than_the_term():
    text = "电池管理系统 电池"

    terms = expanded_terms(text, SMALL)

    assert terms | {term: float(tokens(text).count(term)) for term in tokens(text)} == terms
    assert terms["bms"] == pytest.approx(EQUIVALENT_WEIGHT * len(tokens("电池管理系统")))
    assert expanded_terms("BMS", SMALL)["管理系统"] == pytest.approx(EQUIVALENT_WEIGHT / len(tokens("电池管理系统")))
    assert [one.name for one in alternatives("BMS 与 bms", SMALL)] == ["电池管理系统"]


def test_the_shipped_file_is_what_the_knowledge_gives():
    written = gzip.decompress((SHIPPED / GROUPS).read_bytes()).decode()

    assert written == recipe.to_text(recipe.read_groups())


def test_the_shipped_terms_are_in_normal_form_and_of_one_meaning():
    groups = recipe.read_groups()

    for group in groups:
        for term in (*group.terms, *group.answers):
            assert normalise(term) == term
            assert recipe.is_telling(term)
    assert not list(recipe.find_ambiguous([group.terms for group in groups if not group.answers]))
    assert not {"adc", "soc", "lfp", "fc", "tg"} & {lower(term) for group in groups for term in group.terms}
    assert {"BMS"} <= set(shipped().equivalents("电池管理系统"))


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"one\ttwo\tthree\n"), gzip.compress(b"\xff")])
def test_a_broken_file_is_refused_by_its_name(tmp_path, content):
    (tmp_path / GROUPS).write_bytes(content)

    with pytest.raises(ValueError, match=GROUPS):
        Thesaurus.load(tmp_path)
