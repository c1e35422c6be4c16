import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.documents import Candidate
from models.ranking import fuse, reciprocal_rank_fusion

rankings = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4)


def test_a_document_scores_one_over_sixty_plus_its_rank_in_every_ranking():
    fused = reciprocal_rank_fusion([["a", "b"], ["b", "c", "a"]])

    assert fused == [("b", 1 / 62 + 1 / 61), ("a", 1 / 61 + 1 / 63), ("c", 1 / 62)]


def test_ties_sort_by_id():
    assert [id_ for id_, _ in reciprocal_rank_fusion([["b", "c"], ["a", "d"]])] == ["a", "b", "c", "d"]


def test_nothing_fuses_to_nothing():
    assert reciprocal_rank_fusion([]) == []
    assert reciprocal_rank_fusion([[], []]) == []


@pytest.mark.parametrize("k", [0, -1])
def test_a_constant_that_is_not_positive_is_refused_by_name(k):
    with pytest.raises(ValueError, match=f"k must be above 0: {k}"):
        reciprocal_rank_fusion([["a"]], k=k)


@given(rankings)
def test_every_ranked_id_comes_once_and_best_first(given_rankings):
    fused = reciprocal_rank_fusion(given_rankings)

    assert sorted(id_ for id_, _ in fused) == sorted(set().union(*given_rankings))
    assert fused == sorted(fused, key=lambda item: (-item[1], item[0]))


@given(rankings, st.randoms())
def test_the_order_of_the_rankings_does_not_matter(given_rankings, random):
    shuffled = random.sample(given_rankings, len(given_rankings))

    fused, other = dict(reciprocal_rank_fusion(given_rankings)), dict(reciprocal_rank_fusion(shuffled))

    assert fused == pytest.approx(other)


def test_a_candidate_carries_the_scores_and_ranks_of_both_sides():
    found = fuse([("a", 0.9), ("b", 0.8)], [("b", 7.0), ("c", 3.0)], {"c": -0.1})

    assert found == [
        Candidate("b", 0.8, 7.0, 2, 1, 1 / 62 + 1 / 61),
        Candidate("a", 0.9, None, 1, None, 1 / 61),
        Candidate("c", -0.1, 3.0, None, 2, 1 / 62),
    ]


def test_without_a_vector_no_candidate_has_a_cosine():
    assert fuse(None, [("a", 2.0)], {}) == [Candidate("a", None, 2.0, None, 1, 1 / 61)]
