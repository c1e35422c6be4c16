import numpy as np
import pytest

from models.attributes import AttributeTable, Codebook
from models.documents import IndexDocument, check_vector

UNIT = np.array([0.6, 0.8], np.float32)


def make_document(**changes: object) -> IndexDocument:
    usual = {"id": "1", "kind": "supply", "title": "", "keywords": "", "body": "", "vector": UNIT}
    return IndexDocument(**(usual | {"region": "110108", "content_hash": "h"} | changes))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "offer"},
        {"region": "1101"},
        {"region": "11010x"},
        {"region": "１１０１０８"},
        {"maturity": 6},
        {"maturity": -1},
        {"price_low": -1},
        {"price_high": 10**16},
        {"vector": UNIT * 2},
        {"vector": UNIT.astype(np.float64)},
        {"vector": UNIT.reshape(1, 2)},
        {"vector": np.array([np.nan, 1], np.float32)},
    ],
)
def test_a_senseless_document_is_refused_at_once(wrong):
    with pytest.raises(ValueError, match=r"kind|region|maturity|price|vector"):
        make_document(**wrong)


def test_a_text_that_says_nothing_may_have_a_zero_vector():
    assert not make_document(vector=np.zeros(2, np.float32)).vector.any()


def test_a_vector_of_another_dimension_is_named():
    with pytest.raises(ValueError, match="3 numbers was expected: 2"):
        check_vector(UNIT, 3)


def test_old_columns_stay_readable_when_the_codebook_grows():
    first, second = make_document(park="xiongan"), make_document(park="binhai", region="120000")
    book = Codebook().extended([first])

    grown = book.extended([second])

    assert grown.parks == ("xiongan", "binhai")
    assert grown.regions == ("110108", "120000")
    assert AttributeTable.of([first], book).park.tolist() == AttributeTable.of([first], grown).park.tolist()


def test_more_codes_than_bits_are_refused():
    crowd = make_document(modes=frozenset(f"mode-{number}" for number in range(65)))

    with pytest.raises(ValueError, match="more than 64"):
        AttributeTable.of([crowd], Codebook().extended([crowd]))
