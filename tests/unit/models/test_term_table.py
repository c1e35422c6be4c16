from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.term_table import TermTable, signs

WEIGHTS = {"热": 1.0, "热泵": 3.0, "泵": 2.0}
TABLE = TermTable(words={"pump": 4.0, "水泵": 5.0}, signs=WEIGHTS, unknown=9.0, passage_length=40.0)
TEXT = st.text(alphabet=st.sampled_from("热泵水々〇𠮷豈 ab1.9+#，c\ud800\x00\n"), max_size=60)


def test_known_signs_have_their_weight_and_others_that_of_unknown_ones():
    ids, weights, times = TABLE.count("热泵 pump 热泵 水")

    assert sorted(weights.tolist()) == [1.0, 2.0, 3.0, 4.0, 9.0]
    assert dict(zip(weights.tolist(), times.tolist(), strict=True)) == {1.0: 2, 2.0: 2, 3.0: 2, 4.0: 1, 9.0: 1}
    assert ids.tolist() == sorted(set(ids.tolist()))


@given(TEXT)
def test_every_sign_is_counted_as_often_as_it_stands_there(text):
    _, _, times = TABLE.count(text)

    assert sorted(times.tolist()) == sorted(Counter(signs(text)).values())


@given(TEXT, TEXT)
def test_two_texts_share_ids_exactly_where_they_share_signs(one, other):
    ids, other_ids = (set(TABLE.count(text)[0].tolist()) for text in (one, other))

    assert len(ids & other_ids) == len(set(signs(one)) & set(signs(other)))


@pytest.mark.parametrize("text", ["", " ", "12.5", "，。"])
def test_a_text_without_signs_counts_nothing(text):
    ids, weights, times = TABLE.count(text)

    assert len(ids) == len(weights) == len(times) == 0
