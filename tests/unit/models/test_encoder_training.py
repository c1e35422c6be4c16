from collections import Counter

import numpy as np
import pytest

from models.training.encoder_pairs import MOST_TOKENS, PairSource, TokenisedPaper
from models.training.encoder_vocabulary import build_tokenizer, choose_pieces, compose, count_words

COUNTS = Counter({"电池": 90, "固态": 30, "固态电池": 40, "的": 200, "隔": 5, "膜": 5, "隔膜": 2, "led": 12})


@pytest.fixture
def pieces():
    return choose_pieces(COUNTS, fewest=10)


def test_words_are_counted_in_their_normal_form():
    assert count_words(["固态电池 LED", "電池"]) == Counter({"固态电池": 1, "led": 1, "电池": 1})


def test_pieces_are_frequent_words_and_what_others_are_written_with(pieces):
    names = [name for name, _ in pieces]

    assert names[0] == "[UNK]"
    assert {"电池", "固态", "固态电池", "的", "led", "隔", "膜", "电", "池", "0", "z"} <= set(names)
    assert "隔膜" not in names


def test_the_tokenizer_cuts_where_it_is_likeliest_and_sees_no_marks(pieces):
    tokenizer = build_tokenizer(pieces)

    assert tokenizer.encode("固态电池的隔膜，LED!").tokens == ["固态电池", "的", "隔", "膜", "led"]


def test_a_word_is_put_together_from_itself_its_characters_and_its_bigrams(pieces):
    names = [name for name, _ in pieces]
    parts = compose(pieces)

    def parts_of(word):
        row = parts[names.index(word)].toarray()[0]
        return {names[column] for column in np.flatnonzero(row)}

    assert parts_of("固态电池") == {"固态电池", "固", "态", "电", "池", "固态", "电池"}
    assert parts_of("电池") == {"电池", "电", "池"}
    assert parts_of("电") == {"电"}
    assert parts_of("led") == {"led"}


def paper(number):
    def ids(length, start):
        return np.arange(start, start + length, dtype=np.int32) + number * 1000

    return TokenisedPaper(ids(8, 0), ids(200, 10), ids(5, 300), [ids(30, 400), ids(30, 500)])


PAPERS = [paper(number) for number in range(20)]
KINDS = ["title-abstract", "keywords-abstract", "title-paragraph", "neighbours", "same-paper", "span-rest"]


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_of_a_pair_are_of_one_paper_and_each_paper_comes_once(kind):
    source = PairSource(PAPERS, dropout=0.3, rng=np.random.default_rng(1))

    left, right = source.draw(kind, 12)

    owners = [int(ids[0]) // 1000 for ids in left]
    assert owners == [int(ids[0]) // 1000 for ids in right]
    assert len(set(owners)) == 12
    assert max(map(len, left + right)) <= MOST_TOKENS
    assert all(not set(one) & set(other) for one, other in zip(left, right, strict=True))


def test_the_same_seed_draws_the_same_pairs():
    first, second = (PairSource(PAPERS, dropout=0.3, rng=np.random.default_rng(7)).draw("same-paper", 5) for _ in "ab")

    assert [ids.tolist() for side in first for ids in side] == [ids.tolist() for side in second for ids in side]


def test_a_paper_without_what_a_pair_needs_is_passed_over():
    empty = np.array([], dtype=np.int32)
    source = PairSource([TokenisedPaper(empty, empty, empty, [])], dropout=0, rng=np.random.default_rng(1))

    assert [source.draw(kind, 3) for kind in KINDS] == [([], [])] * len(KINDS)
