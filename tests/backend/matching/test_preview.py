"""What the posting form shows beside it while a listing is written."""

import pytest
import sqlalchemy as sa
from factories import make_account
from test_listing_page import DEMAND, SUPPLY

from backend.listings.tables import Kind, Listing

TYPED = {
    "title": DEMAND["title"],
    "summary": DEMAND["summary"],
    "description": DEMAND["description"],
    "keywords": "干电极、脑电采集、接触阻抗",
    "region_code": "110108",
    "indicators-0-name": "接触阻抗",
    "indicators-0-value": "≤ 50",
    "indicators-0-unit": "kΩ",
}


@pytest.fixture
def author(client, session):
    account = make_account(session)
    client.sign_in(account)
    return account


def check(client, values: dict[str, str], kind: str = "demand", **options):
    return client.submit(f"/listings/check/{kind}", values, **options)


def test_the_form_comes_back_as_typed_with_matches_fields_and_duplicates(client, publish, author):
    publish(**SUPPLY)
    publish(**DEMAND, kind=Kind.DEMAND)

    answer = check(client, TYPED)

    assert answer.status_code == 200
    assert TYPED["description"] in answer.text
    panel = answer.text.split('id="check"')[1]
    duplicates, rest = panel.split("<h3>可能匹配", 1)
    matches, fields = rest.split("<h3>建议的领域", 1)
    assert DEMAND["title"] in duplicates
    assert SUPPLY["title"] in matches
    assert "/pairs/" not in matches
    assert "脑科学" in fields


def test_htmx_gets_the_panel_alone(client, publish, author):
    publish(**SUPPLY)

    answer = check(client, TYPED, headers={"HX-Request": "true"})

    assert SUPPLY["title"] in answer.text
    assert "<html" not in answer.text


def test_checking_keeps_nothing(client, session, author):
    check(client, TYPED)

    assert session.exec(sa.select(sa.func.count()).select_from(Listing)).scalar() == 0


@pytest.mark.parametrize("wrong", [{"title": ""}, {"title": "x" * 500}, {"title": "短"}, {"title": "求购\x00"}])
def test_without_a_usable_title_it_says_that_there_is_too_little(client, author, wrong):
    answer = check(client, {**TYPED, **wrong})

    assert answer.status_code == 200
    assert "内容还太少" in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_kind": "range", "price_low": "九十", "price_high": "1"},
        {"region_code": "moon"},
        {"deadline_on": "2027-02-30"},
        {"needs_maturity": "ripe"},
        {"indicators-0-value": "很好"},
        {"contact_email": "nobody"},
        {"modes": "barter", "price_kind": "range"},
    ],
)
def test_a_mistake_elsewhere_in_the_form_does_not_stop_the_preview(client, publish, author, wrong):
    publish(**SUPPLY)

    answer = check(client, {**TYPED, **wrong})

    assert answer.status_code == 200
    assert SUPPLY["title"] in answer.text.split("<h3>可能匹配", 1)[1]


def test_a_suggested_field_is_adopted(client, publish, author):
    answer = check(client, {**TYPED, "adopt": "brain"})

    assert "没有要补充的领域" in answer.text


def test_one_must_sign_in_to_check(client):
    assert check(client, TYPED, follow_redirects=False).status_code == 401


def test_another_kind_is_not_found(client, author):
    assert check(client, TYPED, kind="wish").status_code == 404
