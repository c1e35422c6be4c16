import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.listings.figures import read_figure, write_figure


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("98", {"op": "=", "value": "98", "unit": ""}),
        ("≥ 98", {"op": ">=", "value": "98", "unit": ""}),
        (">=98", {"op": ">=", "value": "98", "unit": ""}),
        ("＞＝９８．５", {"op": ">=", "value": "98.5", "unit": ""}),
        ("不超过 18 元", {"op": "<=", "value": "18", "unit": "元"}),
        ("300 Wh/kg", {"op": "=", "value": "300", "unit": "Wh/kg"}),
        ("98%", {"op": "=", "value": "98", "unit": "%"}),
        ("5–10", {"op": "range", "value": "5", "value_to": "10", "unit": ""}),
        ("5至10 ℃", {"op": "range", "value": "5", "value_to": "10", "unit": "°C"}),
        ("-40~85", {"op": "range", "value": "-40", "value_to": "85", "unit": ""}),
        ("100 吨以上", {"op": ">=", "value": "100", "unit": "吨"}),
        ("1e-5", {"op": "=", "value": "1e-5", "unit": ""}),
        ("4,000", {"op": "=", "value": "4,000", "unit": ""}),
    ],
)
def test_a_figure_is_read_as_people_type_it(typed, parts):
    assert read_figure(typed, "") == parts


@pytest.mark.parametrize("typed", ["IP67", "> 98", "≥", "约五十", "1 2", "5-10-15", "≥ 5–10", "9" * 10_000, "", "NaN"])
def test_a_figure_that_is_not_understood_comes_back_whole(typed):
    assert read_figure(typed, "mm") == {"value": typed, "unit": "mm"}


def test_a_unit_typed_twice_is_taken_once_and_two_different_ones_are_left_to_the_author():
    same = read_figure("98%", "%")
    different = read_figure("98%", "mm")

    assert same == {"op": "=", "value": "98", "unit": "%"}
    assert different == {"value": "98%", "unit": "mm"}


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@given(operator=st.sampled_from([">=", "<=", "="]), value=numbers)
def test_a_kept_figure_is_written_so_that_it_is_read_back_without_loss(operator, value):
    written = write_figure({"op": operator, "value": value})

    read = read_figure(written, "")
    assert (read["op"], float(read["value"])) == (operator, value)


@given(low=numbers, high=numbers)
def test_a_kept_range_is_written_so_that_it_is_read_back_without_loss(low, high):
    read = read_figure(write_figure({"op": "range", "value": low, "value_to": high}), "")

    assert (read["op"], float(read["value"]), float(read["value_to"])) == ("range", low, high)
