from datetime import date

import pytest

from backend.listings.hints import author_hints, find_contacts

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("请联系 13812345678。", ["13812345678"]),
        ("电话138 1234 5678或138-1234-5678", ["138 1234 5678", "138-1234-5678"]),
        ("座机０２２－２３４５６７８９", ["022-23456789"]),
        ("发到 li.min@example.cn 即可", ["li.min@example.cn"]),
        ("加微信：jiqiao_2026 详谈", ["微信:jiqiao_2026"]),
        ("QQ群 12345678", ["QQ群 12345678"]),
        ("13812345678，再说一遍 13812345678", ["13812345678"]),
    ],
)
def test_contact_details_in_public_text_are_found_and_quoted(text, found):
    assert find_contacts(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "转化率 98.5%，连续运行 4,000 小时",
        "专利号 ZL202310123456.7",
        "编号 20261123138123456789",
        "温度 1380 ℃，压力 0.25 MPa",
        "通过微信小程序提供服务",
        "粒径 D50@25℃",
    ],
)
def test_figures_and_numbers_of_patents_are_no_contact_details(text):
    assert find_contacts(text) == []


def test_an_author_is_told_of_missing_figures_and_a_deadline_gone_by():
    hints = author_hints("正文", has_indicators=False, deadline=date(2026, 11, 22), today=TODAY)

    assert [(hint.text, hint.quote) for hint in hints] == [
        ("还没有技术指标：写上数值，才能与对方逐项对照", ""),
        ("截止日期已经过去，请改成以后的日期", "2026-11-22"),
    ]


def test_an_author_who_left_nothing_out_is_told_nothing():
    assert author_hints("正文", has_indicators=True, deadline=TODAY, today=TODAY) == ()
