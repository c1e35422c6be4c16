from functools import cache
from pathlib import Path

import pytest
import yaml
from encoders import HashEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from models.passages import find_evidence, shared_terms
from models.relevance import SHIPPED, PairScorer, PairText
from models.segments import LONGEST_QUOTE, cut
from models.text import normalise

MARKET = Path(__file__).parents[3] / "seeds" / "market"
HOSTILE = st.text(
    alphabet=st.sampled_from("锂电池干法电极涂布機器學習\u200b\u202e\ud800𠮷 Aa1９.%，、。；！？\n\r\t\x00（）“”-—"),
    max_size=200,
)


@cache
def scorer():
    return PairScorer.load(SHIPPED, HashEncoder())


@cache
def market():
    texts, expects = {}, {}
    for path in sorted(MARKET.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for row in content["supplies"] + content["demands"]:
            body = f"{row['summary']}\n{row['description']}"
            texts[row["key"]] = PairText(row["title"], " ".join(row["keywords"]), body)
            if "expects" in row:
                expects[row["key"]] = row["expects"]
    return texts, expects


def pairs():
    """Every demand with its expected supplies and with one that has nothing to do with it."""
    texts, expects = market()
    others = sorted(set(texts) - set(expects))
    for number, (demand, keys) in enumerate(expects.items()):
        for supply in [*keys, others[number * 37 % len(others)]]:
            yield texts[demand], texts[supply]


def in_text(quote, text):
    return quote in text.title or quote in text.body


DEMAND = PairText(
    "找耐高温轴承", "", "窑车轴承在 600 ℃ 下三个月就卡死。想要不加油也能转的高温自润滑轴承，能用一年。厂里离车站很近。"
)
SUPPLY = PairText("固体润滑轴承", "", "团队成立于高校。石墨基高温自润滑轴承在 650 ℃ 连续转动一年，不需加油。欢迎来访。")


def test_the_best_evidence_is_the_pair_of_sentences_that_says_the_same():
    best = find_evidence(scorer(), DEMAND, SUPPLY)[0]

    assert best.demand_quote == "想要不加油也能转的高温自润滑轴承，能用一年。"
    assert best.supply_quote == "石墨基高温自润滑轴承在 650 ℃ 连续转动一年，不需加油。"


def test_every_quote_of_the_market_is_the_authors_own_text():
    found = 0
    for demand, supply in pairs():
        for evidence in find_evidence(scorer(), demand, supply):
            found += 1
            assert in_text(evidence.demand_quote, demand)
            assert in_text(evidence.supply_quote, supply)
    assert found > 200


def test_evidence_is_best_first_and_uses_no_fragment_twice():
    for demand, supply in pairs():
        evidence = find_evidence(scorer(), demand, supply, limit=5)

        weights = [one.weight for one in evidence]
        assert weights == sorted(weights, reverse=True)
        assert len({one.demand_quote for one in evidence}) == len(evidence)
        assert len({one.supply_quote for one in evidence}) == len(evidence)


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_quotes_of_any_text_are_substrings_of_it(demand_title, demand_body, supply_title, supply_body):
    demand, supply = PairText(demand_title, "", demand_body), PairText(supply_title, "", supply_body)

    for evidence in find_evidence(scorer(), demand, supply):
        assert in_text(evidence.demand_quote, demand)
        assert in_text(evidence.supply_quote, supply)
        assert 0 < evidence.weight <= 1


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE)
def test_fragments_are_short_trimmed_and_say_something(title, body):
    for quote in cut(PairText(title, "", body)):
        assert in_text(quote, PairText(title, "", body))
        assert 0 < len(quote) <= LONGEST_QUOTE
        assert quote == quote.strip()
        assert any(char.isalnum() for char in quote)


def test_a_long_sentence_is_quoted_by_its_clauses():
    clauses = [f"第{number}道工序把料浆加热到八十度以后再送往下一台设备" for number in "一二三四五六"]

    quotes = cut(PairText("工序", "", "，".join(clauses) + "。"))

    assert len(quotes) > 3
    assert all(any(clause in quote for quote in quotes) for clause in clauses)


def test_texts_with_nothing_in_common_have_no_evidence():
    assert find_evidence(scorer(), PairText("啊", "", ""), PairText("steel", "", "")) == []


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_no_more_is_shown_than_asked_for(limit):
    assert len(find_evidence(scorer(), DEMAND, SUPPLY, limit=limit)) <= limit
    assert len(shared_terms(scorer(), DEMAND, SUPPLY, limit=limit)) <= limit


def test_neighbouring_words_that_both_texts_join_are_one_term():
    assert "高温自润滑轴承" in shared_terms(scorer(), DEMAND, SUPPLY)


def test_shared_terms_of_the_market_stand_in_both_normal_forms():
    for demand, supply in pairs():
        terms = shared_terms(scorer(), demand, supply)

        for text in (demand, supply):
            normal = normalise(f"{text.title}\n{text.keywords}\n{text.body}").lower()
            assert all(term.lower() in normal for term in terms)


def test_shared_terms_are_no_single_characters_numbers_units_or_commonplaces():
    body = "公司希望合作，指标达到 650 ℃、12 mm、3.5 kW，因此在降低成本的同时提高效率。水。"

    assert shared_terms(scorer(), PairText("技术需求", "", body), PairText("科技成果", "", body)) == []


def test_no_shared_term_is_part_of_another():
    for demand, supply in pairs():
        terms = [term.lower() for term in shared_terms(scorer(), demand, supply)]

        assert not [one for one in terms for other in terms if one != other and one in other]


def test_a_term_joined_by_a_hyphen_stays_whole_and_keeps_its_case():
    terms = shared_terms(scorer(), PairText("求 RISC-V 内核"), PairText("RISC-V 双核锁步芯片"))

    assert terms == ["RISC-V"]


def test_a_term_written_in_the_other_script_is_shared():
    assert "翘曲" in "".join(shared_terms(scorer(), PairText("載板過爐後翹曲"), PairText("封装翘曲预测")))


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE)
def test_any_text_has_terms_or_none(demand, supply):
    for term in shared_terms(scorer(), PairText(demand, "", demand), PairText(supply, "", supply)):
        assert len(term) > 1
