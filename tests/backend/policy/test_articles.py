"""The articles are told in our own words.

`decision_runs.txt` holds, for every run of twelve Han characters in the texts of both decisions (each as published and
folded to Simplified), the first eight hexadecimal digits of its BLAKE2b digest, sorted: enough to recognise a copied
sentence without keeping the texts.
"""

import re
from hashlib import blake2b
from pathlib import Path

import pytest

from backend.policy.catalogue import load_catalogue
from backend.policy.entries import Article, Use

RUN_LENGTH = 12
DECISION_RUNS = frozenset((Path(__file__).parent / "decision_runs.txt").read_text("utf-8").split())
CATALOGUE = load_catalogue(Path(__file__).parents[3] / "seeds" / "reference")


def copied_runs(text: str) -> list[str]:
    """Return the runs of twelve Han characters that stand in a decision, whatever punctuation they had."""
    han = "".join(re.findall(r"[\u4e00-\u9fff]", text))
    runs = [han[start : start + RUN_LENGTH] for start in range(len(han) - RUN_LENGTH + 1)]
    return [run for run in runs if blake2b(run.encode(), digest_size=4).hexdigest() in DECISION_RUNS]


def name_of(article: Article) -> str:
    return f"{article.decision.key}-{article.number}"


def numbers_supporting(use: Use) -> set[int]:
    return {article.number for article in CATALOGUE.articles_supporting(use)}


@pytest.mark.parametrize("article", CATALOGUE.articles, ids=name_of)
def test_an_article_is_told_in_our_own_words(article):
    texts = [article.paraphrase, *(pairing.reason for pairing in article.pairings)]

    copied = [run for text in texts for run in copied_runs(text)]

    assert copied == []


@pytest.mark.parametrize(
    "sentence",
    [
        "建立和完善互认衔接的科技创新券合作机制",
        "加強通州區與河北省三河、大廠、香河三縣市的創新合作",
        "围绕化工产业、生物制药、临港经济等加强创新合作",
    ],
)
def test_a_sentence_of_a_decision_is_recognised_as_copied(sentence):
    assert copied_runs(sentence) != []


def test_each_decision_has_its_twenty_articles():
    numbers = {key: [a.number for a in CATALOGUE.articles if a.decision.key == key] for key in ("beijing", "tianjin")}

    assert numbers == {"beijing": list(range(1, 21)), "tianjin": list(range(1, 21))}


def test_each_decision_is_named_with_its_place_and_date():
    decisions = {article.decision for article in CATALOGUE.articles}

    assert {(CATALOGUE.seal(d.place), d.title[:3], d.adopted_on.isoformat()) for d in decisions} == {
        ("京", "北京市", "2023-11-24"),
        ("津", "天津市", "2023-11-29"),
    }


def test_a_paraphrase_is_one_sentence():
    assert all(a.paraphrase.endswith("。") and a.paraphrase.count("。") == 1 for a in CATALOGUE.articles)


def test_the_uses_of_the_platform_find_their_articles():
    assert {use: numbers_supporting(use) for use in (Use.FIELD, Use.DEMAND_LIST, Use.PARK, Use.VOUCHER, Use.IP)} == {
        Use.FIELD: {8},
        Use.DEMAND_LIST: {9},
        Use.PARK: {11},
        Use.VOUCHER: {15},
        Use.IP: {17},
    }


@pytest.mark.parametrize("use", Use)
def test_every_use_is_supported_by_both_decisions(use):
    assert {article.decision.key for article in CATALOGUE.articles_supporting(use)} == {"beijing", "tianjin"}


def test_the_two_texts_of_article_5_name_different_pairings():
    named = {
        (article.decision.key, CATALOGUE.region(pairing.one[0]).short, CATALOGUE.region(pairing.other[0]).short)
        for article in CATALOGUE.articles_supporting(Use.REGION_PAIR)
        for pairing in article.pairings
    }

    assert named == {
        ("beijing", "北京", "天津"),
        ("beijing", "北京", "河北"),
        ("beijing", "通州", "三河"),
        ("tianjin", "天津", "北京"),
        ("tianjin", "天津", "河北"),
    }
