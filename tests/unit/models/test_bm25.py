import math

import pytest

from models.bm25 import (
    FieldBoosts,
    Postings,
    Statistics,
    indexable,
    inverse_document_frequency,
    mean_lengths,
    rounded_length,
    saturation,
    term_weights,
)


@pytest.mark.parametrize(
    ("tokens", "kept"), [(0, 0), (1, 1), (40, 40), (41, 40), (42, 42), (57, 56), (59, 56), (60, 60), (1000, 984)]
)
def test_lengths_are_exact_to_forty_and_then_rounded_down(tokens, kept):
    assert rounded_length(tokens) == kept


def test_rarer_terms_weigh_more_and_none_weighs_nothing():
    weights = [inverse_document_frequency(10, containing) for containing in range(11)]

    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0
    assert weights[3] == pytest.approx(math.log(1 + 7.5 / 3.5))


def test_a_term_once_in_a_field_of_mean_length_counts_one():
    assert saturation(1, 20, 20.0) == pytest.approx(1.0)
    assert saturation(1, 40, 20.0) < 1.0 < saturation(2, 20, 20.0) < 2.2


def test_tokens_lose_blanks_and_lone_surrogates_and_the_endless_are_dropped():
    assert indexable(["电池", "a b", "\ud800", "x\ud800y", "\x00", "𠮷", "长" * 256, "长" * 257, "\x1c"]) == [
        "电池",
        "a",
        "b",
        "xy",
        "\x00",
        "𠮷",
        "长" * 256,
    ]


def test_a_query_weighs_each_term_by_how_often_it_is_said():
    assert term_weights(["电池", "隔膜", "电池"]) == {"电池": 2.0, "隔膜": 1.0}


def test_the_mean_length_of_an_unused_field_divides_nothing():
    assert mean_lengths([12, 0, 3], 4) == (3.0, 1.0, 0.75)
    assert mean_lengths([0, 0, 0], 0) == (1.0, 1.0, 1.0)


def test_readers_of_fewer_documents_do_not_see_later_ones():
    postings = Postings()
    for body in (["电池"], ["电池", "电池"], ["隔膜"], ["电池"]):
        postings.add(([], [], body))

    assert postings.visible(2, "电池", 2) == [(0, 1), (1, 2)]
    assert postings.containing(2, "电池", 4) == 3
    assert postings.containing(2, "电池", 4, dead={0}) == 2
    assert postings.containing(0, "电池", 4) == 0


def test_scores_follow_the_formula():
    postings = Postings()
    postings.add((["电池"], [], ["电池", "电池", "隔膜"]))
    statistics = Statistics(documents=9, mean_lengths=(2.0, 1.0, 5.0), containing={(0, "电池"): 3, (2, "电池"): 4})

    scores = postings.scores({"电池": 2.0}, statistics, FieldBoosts(title=3.0), 1)

    title = 2 * 3 * math.log(1 + 6.5 / 3.5) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1 / 2))
    body = 2 * 1 * math.log(1 + 5.5 / 4.5) * 2.2 * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 5))
    assert scores == {0: pytest.approx(title + body)}


def test_a_boost_must_be_above_nothing():
    with pytest.raises(ValueError, match="above 0"):
        FieldBoosts(body=0)
