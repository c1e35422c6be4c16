"""Marks are put in, everything else is escaped, quotes stay parts of their text."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from backend.matching.highlighting import mark, paragraphs, quoted, shortened, unmarked

texts = st.text(alphabet="电池<>&\"'mark/ 。界面阻抗aB\n", max_size=80)
terms = st.lists(st.text(alphabet="电池<界m&", max_size=4), max_size=4)


@given(text=texts, terms=terms)
def test_taking_the_marks_out_gives_the_text_back(text, terms):
    marked = mark(text, terms)

    assert unmarked(marked) == text or "<mark>" in text
    assert set(re.findall(r"<[^>]*>", str(marked))) <= {"<mark>", "</mark>"}


@given(text=texts, terms=terms)
def test_only_terms_are_marked(text, terms):
    marked = re.findall(r"<mark>(.*?)</mark>", str(mark(text, terms)), re.DOTALL)

    assert {html.unescape(part).casefold() for part in marked} <= {term.casefold() for term in terms}


@given(text=st.text(min_size=61, max_size=300), terms=terms)
def test_a_long_quote_is_shortened_to_a_part_of_itself(text, terms):
    part = shortened(text, terms)

    assert part in text
    assert len(part) <= 60


def test_a_long_quote_is_cut_around_its_term_and_says_so():
    quote = "前言" * 40 + "界面阻抗降到 12 Ω·cm²" + "后记" * 40 + "。"

    shown = quoted(quote, ["界面阻抗"])

    assert isinstance(shown, Markup)
    assert shown.startswith("“…")
    assert "<mark>界面阻抗</mark>" in shown
    assert shown.endswith("…”")


def test_a_term_over_two_lines_is_marked_in_both():
    first, second = paragraphs("电解质\n\n界面阻抗", ["解质\n\n界面"])

    assert str(first) == "电<mark>解质</mark>"
    assert str(second) == "<mark>界面</mark>阻抗"
