from datetime import date
from decimal import Decimal

import pytest

from backend.errors import Invalid
from backend.listings.forms import check_listing, collect_values, count_indicator_rows, read_listing
from backend.listings.tables import Kind
from backend.policy.catalogue import load_catalogue
from backend.settings import PROJECT
from backend.web.forms import SubmittedForm

CATALOGUE = load_catalogue(PROJECT / "seeds" / "reference")
LEAST = {"title": "钢渣微粉掺合料", "region_code": "130200"}


def errors_of(values, *, is_draft=True):
    with pytest.raises(Invalid) as raised:
        check_listing({**LEAST, **values}, catalogue=CATALOGUE, is_draft=is_draft)
    return {error.field: error.message for error in raised.value.errors}


def test_a_draft_needs_only_a_title_and_a_place():
    form = check_listing(LEAST, catalogue=CATALOGUE, is_draft=True)

    assert (form.title, form.summary, form.modes) == ("钢渣微粉掺合料", "", [])


def test_what_is_handed_in_also_needs_summary_description_and_a_mode():
    errors = errors_of({"summary": "太短"}, is_draft=False)

    assert errors == {
        "summary": "请填写简介，至少 10 个字。",
        "description": "请填写详细说明。",
        "modes": "请填写合作方式。",
    }


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"title": "钢"}, "title", "请填写标题，至少 2 个字。"),
        ({"title": "钢" * 121}, "title", "标题太长：现有 121 个字，请缩短到 120 个字以内。"),
        ({"region_code": "999999"}, "region_code", "所在地区：没有“999999”这个选项，请从列出的选项中选择。"),
        ({"fields": ["alchemy"]}, "fields", "优先领域：没有“alchemy”这个选项，请从列出的选项中选择。"),
        ({"park_code": "nowhere"}, "park_code", "落地园区：没有“nowhere”这个选项，请从列出的选项中选择。"),
        ({"price_kind": "range"}, "price_low", "选择“区间”时，请至少填写最低或最高金额。"),
        ({"price_low": "200", "price_high": "100"}, "price_low", "最高金额不能小于最低金额。"),
        ({"price_low": "约五十"}, "price_low", "最低金额应是数字，不能是“约五十”。"),
        ({"price_low": "-1"}, "price_low", "最低金额不能小于 0。"),
        ({"price_low": "0.00001"}, "price_low", "最低金额最多保留 4 位小数。"),
        ({"trl": "10"}, "trl", "技术就绪等级不能大于 9。"),
        ({"trl": "高"}, "trl", "技术就绪等级应是整数，不能是“高”。"),
        ({"contact_phone": "无"}, "contact_phone", "联系电话应只有数字、加号、横线和括号，6 到 40 位。"),
        ({"contact_email": "a@b"}, "contact_email", "联系邮箱应写成 name@example.com 这样的地址。"),
        ({"deadline_on": "明年"}, "deadline_on", "截止日期：应写成 2027-03-31 这样的日期，不能是“明年”。"),
        ({"deadline_on": "2027-02-30"}, "deadline_on", "截止日期：应写成 2027-03-31 这样的日期，不能是“2027-02-30”。"),
        ({"deadline_on": "0"}, "deadline_on", "截止日期：应写成 2027-03-31 这样的日期，不能是“0”。"),
        ({"indicators": [{"name": "", "value": "5"}]}, "indicators", "技术指标第 1 项：还没有写指标名称。"),
        ({"indicators": [{"name": "强度"}]}, "indicators", "技术指标第 1 项：“强度”还没有数值，请填一个数。"),
        (
            {"indicators": [{"name": "温度", "op": "range", "value": "9", "value_to": "5"}]},
            "indicators",
            "技术指标第 1 项：“温度”的上限应不小于下限。",
        ),
        ({"keywords": ["字" * 31]}, "keywords", "关键词：“字字字字字字字字字字…”太长，每个关键词最多 30 个字。"),
        ({"keywords": [f"词{n}" for n in range(13)]}, "keywords", "关键词最多 12 项，现有 13 项。"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_in_one_sentence(values, field, sentence):
    assert errors_of(values) == {field: sentence}


@pytest.mark.parametrize(
    "typed", ["2027-03-31", "2027/3/31", "2027.3.31", "2027年3月31日", "２０２７－０３－３１", " 2027-03-31 "]
)
def test_a_date_is_understood_as_people_write_it(typed):
    form = check_listing({**LEAST, "deadline_on": typed}, catalogue=CATALOGUE, is_draft=True)

    assert form.deadline_on == date(2027, 3, 31)


def test_full_width_numbers_are_numbers():
    form = check_listing(
        {**LEAST, "price_kind": "range", "price_low": "１２３．５", "trl": "６"}, catalogue=CATALOGUE, is_draft=True
    )

    assert (form.price_low, form.low_yuan, form.trl) == (Decimal("123.5"), 1_235_000, 6)


def submitted(**values):
    return SubmittedForm({name: [value] if isinstance(value, str) else value for name, value in values.items()})


def test_the_form_of_one_kind_leaves_out_what_belongs_to_the_other():
    form = submitted(**LEAST, trl="5", baseline="有中试线")

    supply, demand = (collect_values(form, kind=kind) for kind in (Kind.SUPPLY, Kind.DEMAND))

    assert (supply["trl"], "baseline" in supply) == ("5", False)
    assert (demand["baseline"], "trl" in demand) == ("有中试线", False)


def test_rows_with_anything_in_them_are_kept_in_order_and_empty_ones_are_not():
    names = {
        "indicators-0-name": "",
        "indicators-1-name": "强度",
        "indicators-1-value": "≥ 98 MPa",
        "indicators-2-name": "",
    }
    form = submitted(**names, **{"indicators-3-condition": "常温", "indicators-12-name": ""})

    values = collect_values(form, kind=Kind.SUPPLY)

    assert values["indicators"] == [
        {"name": "强度", "condition": "", "op": ">=", "value": "98", "unit": "MPa"},
        {"name": "", "condition": "常温", "value": "", "unit": ""},
    ]
    assert count_indicator_rows(form) == 13


def test_an_adopted_field_is_one_of_the_chosen_fields():
    form = submitted(**LEAST, fields=["brain"], adopt="tcm")

    read = read_listing(form, kind=Kind.SUPPLY, catalogue=CATALOGUE, is_draft=True)

    assert read.fields == ["brain", "tcm"]


def test_the_same_content_has_the_same_hash_and_another_has_another():
    first, again = (check_listing(LEAST, catalogue=CATALOGUE, is_draft=draft) for draft in (True, True))
    other = check_listing({**LEAST, "title": "钢渣微粉掺合料二"}, catalogue=CATALOGUE, is_draft=True)

    assert first.content_hash() == again.content_hash() != other.content_hash()


def test_a_kept_content_is_read_back_as_the_same_form():
    values = {
        **LEAST,
        "price_kind": "range",
        "price_low": "80.5",
        "deadline_on": "2027-03-31",
        "indicators": [{"name": "强度", "op": "range", "value": "5", "value_to": "10.25", "unit": "MPa"}],
        "modes": ["licence"],
        "is_anonymous": True,
    }
    form = check_listing(values, catalogue=CATALOGUE, is_draft=True)

    again = check_listing(form.as_content(), catalogue=CATALOGUE, is_draft=True)

    assert (again, again.content_hash()) == (form, form.content_hash())
