"""Text that breaks careless programs: stored exactly or refused beside its field, never a failure."""

import pytest
from factories import make_account
from postings import COMPLETE, count_listings, form_values, only_listing, said

from backend.listings import repository

RARE = "𠮷𰻞二字的机器，㐂𠀋，零宽\u200b空格"
DIGITS = "１２３台设备，每台４５．６公斤"
LONG_WORD = "a" * 10_000
ENTITIES = "</textarea><script>alert(1)</script>&amp; \"'"
REFUSED = {
    "NUL": ("零\x00字节的机器", "控制字符 U+0000"),
    "bidi": ("反\u202e转的机器", "文字方向控制符 U+202E"),
    "escape": ("转\x1b义的机器", "控制字符 U+001B"),
}
TEXTS = {
    "title": "标题",
    "summary": "简介",
    "description": "详细说明",
    "baseline": "现有基础",
    "contact_name": "联系人",
}


@pytest.fixture
def author(session, client):
    account = make_account(session)
    client.sign_in(account)
    return account


@pytest.mark.parametrize("text", [RARE, DIGITS, ENTITIES], ids=["rare Han", "full-width digits", "markup"])
def test_unusual_text_is_stored_exactly_and_shown_exactly(client, session, author, text):
    client.submit("/listings/new/demand", {**COMPLETE, **dict.fromkeys(TEXTS, text), "action": "save"})

    listing = only_listing(session)
    bundle = repository.find_bundle(session, listing.id)
    shown = form_values(client.get(f"/listings/{listing.id}/edit").text)
    for field in TEXTS:
        kept = bundle.demand.baseline if field == "baseline" else getattr(listing, field)
        assert (field, kept, shown[field]) == (field, text, [text])
    assert "<script>alert" not in client.get(f"/my/listings/{listing.id}").text


@pytest.mark.parametrize("what", REFUSED)
def test_a_character_that_no_text_may_hold_is_named_beside_its_field_and_nothing_is_kept(client, session, author, what):
    text, name = REFUSED[what]

    response = client.submit("/listings/new/demand", {**COMPLETE, **dict.fromkeys(TEXTS, text), "action": "save"})

    assert response.status_code == 422
    for field, title in TEXTS.items():
        assert f'<a href="#f-{field}">{title}：含有不能保存的{name}，请删除后再提交。</a>' in said(response)
    assert count_listings(session) == 0


def test_a_word_of_ten_thousand_characters_is_counted_and_refused_where_it_does_not_fit(client, session, author):
    limits = {"title": 120, "summary": 300, "contact_name": 60, "baseline": 5000}

    response = client.submit("/listings/new/demand", {**COMPLETE, **dict.fromkeys(limits, LONG_WORD), "action": "save"})

    assert response.status_code == 422
    for field, limit in limits.items():
        assert f"{TEXTS[field]}太长：现有 10000 个字，请缩短到 {limit} 个字以内。" in said(response)
        assert form_values(response.text)[field] == [LONG_WORD]
    assert count_listings(session) == 0


def test_a_word_of_ten_thousand_characters_is_stored_where_it_fits(client, session, author):
    client.submit("/listings/new/demand", {**COMPLETE, "description": LONG_WORD, "action": "save"})

    assert only_listing(session).description == LONG_WORD


def test_bytes_that_are_no_text_become_replacement_characters_and_never_a_failure(client, session, author):
    body = f"csrf_token={client.token()}&title=%ED%A0%80%ED%A0%80%FF%FE%E6%9C%BA&region_code=120116&action=save"

    response = client.post(
        "/listings/new/demand", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert response.status_code == 200
    assert set(only_listing(session).title) == {"\ufffd", "机"}


OUT_OF_RANGE = [
    {"region_code": "\x00"},
    {"price_kind": "𠮷"},
    {"modes": ["", "theft"]},
    {"fields": ["computing"] * 50 + ["nothing"]},
    {"trl": "9" * 400},
    {"price_kind": "range", "price_low": "9" * 400},
    {"price_kind": "range", "price_low": "NaN"},
    {"price_kind": "range", "price_low": "1e400"},
    {"deadline_on": "9999-99-99"},
    {"visibility": "secret"},
    {"indicators-0-name": "强度", "indicators-0-value": "1e400"},
    {"indicators-0-name": "强度", "indicators-0-value": "1", "indicators-0-op": "!="},
    {"indicators-0-name": "强度", "indicators-0-value": "inf"},
    {"keywords": "词 " * 3000},
    {"contact_email": "a@" + "b" * 300 + ".cn"},
    {"contact_phone": "１" * 41},
]


def test_a_value_out_of_range_or_vocabulary_is_a_sentence_and_never_a_failure(client, session, author):
    for values in OUT_OF_RANGE:
        response = client.submit("/listings/new/supply", {**COMPLETE, **values, "action": "save"})

        assert (values, response.status_code) == (values, 422)
        assert "已填写的内容都保留着。" in said(response)
    assert count_listings(session) == 0
