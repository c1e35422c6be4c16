import time

from hypothesis import given
from hypothesis import strategies as st

from backend.listings.differences import Piece, compare, compare_texts, whole
from backend.policy.catalogue import load_catalogue
from backend.settings import PROJECT

CATALOGUE = load_catalogue(PROJECT / "seeds" / "reference")


def test_only_fields_that_changed_are_told_in_the_words_of_the_form():
    before = {"title": "旧标题", "region_code": "130200", "modes": ["licence"], "trl": 4, "is_anonymous": False}
    after = {
        "title": "新标题",
        "region_code": "130200",
        "modes": ["licence", "equity"],
        "trl": None,
        "is_anonymous": True,
    }

    changes = compare(before, after, CATALOGUE)

    assert [(change.label, change.pieces) for change in changes] == [
        ("标题", (Piece("gone", "旧标题"), Piece("new", "新标题"))),
        ("合作方式", (Piece("gone", "技术许可"), Piece("new", "技术许可、作价投资"))),
        ("隐去单位名称", (Piece("new", "是"),)),
        ("技术就绪等级", (Piece("gone", "4"),)),
    ]


def test_codes_are_told_by_name_and_unknown_ones_as_they_are():
    before = {"region_code": "130200", "park_code": None, "fields": ["tcm"], "industry_code": "C39"}
    after = {"region_code": "000000", "park_code": "tangshan", "fields": ["alchemy"], "industry_code": "Z99"}

    said = {change.field: [piece.text for piece in change.pieces] for change in compare(before, after, CATALOGUE)}

    assert said == {
        "region_code": ["河北唐山市", "000000"],
        "park_code": ["唐山中关村合作园区"],
        "fields": ["组分中药", "alchemy"],
        "industry_code": [CATALOGUE.industry("C39").name, "Z99"],
    }


def test_indicators_are_told_as_they_are_read():
    row = {"name": "强度", "op": ">=", "value": 98.0, "unit": "MPa", "condition": "28 天"}

    (change,) = compare({"indicators": []}, {"indicators": [row]}, CATALOGUE)

    assert change.pieces == (Piece("new", "强度 ≥ 98 MPa（28 天）"),)


def test_a_long_text_is_compared_by_sentence():
    pieces = compare_texts("第一句。第二句。第三句。", "第一句。改过的第二句。第三句。")

    assert pieces == (
        Piece("same", "第一句。"),
        Piece("gone", "第二句。"),
        Piece("new", "改过的第二句。"),
        Piece("same", "第三句。"),
    )


texts = st.text(st.sampled_from("甲乙丙。；\n!？ a"), max_size=60)


@given(before=texts, after=texts)
def test_the_pieces_of_a_comparison_make_up_both_texts(before, after):
    pieces = compare_texts(before, after)

    assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_a_text_of_very_many_sentences_is_shown_whole_instead_of_compared_for_minutes():
    before = "".join(f"{number}。" for number in range(4000))
    after = "".join(f"{number}。" for number in reversed(range(4000)))
    started = time.process_time()

    pieces = compare_texts(before, after)

    assert pieces == whole(before, after)
    assert time.process_time() - started < 1
