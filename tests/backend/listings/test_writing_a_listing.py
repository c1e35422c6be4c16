import pytest
from factories import make_account, make_listing, make_organisation
from postings import COMPLETE, count_listings, form_values, only_listing, said

from backend.accounts.tables import Role
from backend.listings import repository
from backend.listings.tables import Kind, State


@pytest.fixture
def author(session, client):
    account = make_account(session)
    client.sign_in(account)
    return account


def test_a_visitor_is_sent_to_the_login_and_back(client):
    response = client.get("/listings/new/demand", follow_redirects=False)

    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=%2Flistings%2Fnew%2Fdemand"


def test_a_form_sent_after_the_session_ended_stays_in_the_browser_and_can_be_sent_again(client, session):
    response = client.submit("/listings/new/demand", {**COMPLETE, "action": "submit"}, follow_redirects=False)

    assert (response.status_code, count_listings(session)) == (401, 0)
    assert "请不要关闭这一页" in said(response)
    assert 'href="/login" target="_blank"' in response.text


def test_the_form_begins_with_the_place_of_the_organisation_and_five_rows(client, session):
    organisation = make_organisation(session, region_code="130684")
    client.sign_in(make_account(session, organisation_id=organisation.id))

    values = form_values(client.get("/listings/new/supply").text)

    assert values["region_code"] == ["130684"]
    assert [name for name in values if name.endswith("-name")] == [f"indicators-{row}-name" for row in range(5)]


def test_a_kind_that_does_not_exist_has_no_page(client, author):
    assert client.get("/listings/new/robot").status_code == 404


def test_an_account_without_organisation_is_told_what_to_do(client, session):
    client.sign_in(make_account(session, organisation_id=None))

    asked, tried = client.get("/listings/new"), client.submit("/listings/new/supply", COMPLETE)

    assert "请联系管理员登记您的单位" in said(asked)
    assert (tried.status_code, count_listings(session)) == (403, 0)


def test_a_draft_is_kept_and_seen_by_its_author_only(client, session, author):
    response = client.submit("/listings/new/demand", {**COMPLETE, "action": "save"})

    listing = only_listing(session)
    assert (listing.state, listing.owner_id, listing.organisation_id) == (
        State.DRAFT,
        author.id,
        author.organisation_id,
    )
    assert response.url.path == f"/my/listings/{listing.id}"
    assert "草稿已保存，只有您能看到。" in said(response)
    assert client.get("/my/listings").text.count(str(listing.id)) > 0


def test_a_listing_is_handed_in_for_review(client, session, author):
    response = client.submit("/listings/new/demand", {**COMPLETE, "action": "submit"})

    assert only_listing(session).state is State.PENDING
    assert "已提交，等待审核。" in said(response)


@pytest.mark.parametrize("action", ["save", "submit"])
def test_the_same_form_sent_twice_is_one_listing_and_a_changed_one_another(client, session, author, action):
    first = client.submit("/listings/new/demand", {**COMPLETE, "action": action})
    again = client.submit("/listings/new/demand", {**COMPLETE, "action": action})

    assert again.url.path == first.url.path == f"/my/listings/{only_listing(session).id}"
    assert "没有再建一条" in said(again)

    client.submit("/listings/new/demand", {**COMPLETE, "title": "另一条需求", "action": action})
    client.submit("/listings/new/supply", {**COMPLETE, "action": action})
    client.sign_in(make_account(session))
    client.submit("/listings/new/demand", {**COMPLETE, "action": action})
    assert count_listings(session) == 4


def test_what_is_incomplete_comes_back_with_every_value_and_an_error_beside_each_field(client, session, author):
    typed = {
        **COMPLETE,
        "summary": "短",
        "modes": ["equity", "service"],
        "trl": "7",
        "price_kind": "range",
        "price_low": "约五十",
    }
    rows = {
        "indicators-0-name": "强度",
        "indicators-0-value": "IP67",
        "indicators-0-unit": "级",
        "indicators-2-condition": "常温",
    }

    response = client.submit("/listings/new/supply", {**typed, **rows, "keywords": "废水，膜", "action": "submit"})

    values = form_values(response.text)
    assert response.status_code == 422
    assert count_listings(session) == 0
    for name in ("title", "summary", "description", "region_code", "trl", "price_kind", "price_low"):
        assert values[name] == [typed[name]], name
    assert values["modes"] == ["equity", "service"]
    assert values["keywords"] == ["废水、膜"]
    assert [values[f"indicators-0-{part}"] for part in ("name", "value", "unit")] == [["强度"], ["IP67"], ["级"]]
    assert values["indicators-1-condition"] == ["常温"]
    text = said(response)
    assert "<title>错误：发布成果" in text
    for sentence, field in (
        ("请填写简介，至少 10 个字。", "summary"),
        ("最低金额应是数字，不能是“约五十”。", "price_low"),
        ("技术指标第 1 项应是数字，不能是“IP67”。", "indicators"),
    ):
        assert f'<a href="#f-{field}">{sentence}</a>' in text
        assert f'id="f-{field}-error"' in text
        assert f'id="f-{field}"' in text


def test_another_row_can_be_added_without_losing_what_was_typed(client, session, author):
    rows = {f"indicators-{row}-name": "" for row in range(5)}
    typed = {**COMPLETE, **rows, "indicators-4-name": "强度", "indicators-4-value": "≥ 98", "action": "add-row"}

    response = client.submit("/listings/new/demand", typed)

    values = form_values(response.text)
    assert response.status_code == 200
    assert values["title"] == [COMPLETE["title"]]
    assert (values["indicators-0-name"], values["indicators-0-value"]) == (["强度"], ["≥ 98"])
    assert "indicators-5-name" in values
    assert "indicators-6-name" not in values
    assert count_listings(session) == 0


def test_rows_end_at_twenty(client, author):
    rows = {f"indicators-{row}-name": f"指标{row}" for row in range(20)}

    response = client.submit("/listings/new/demand", {**COMPLETE, **rows, "action": "add-row"})

    assert "indicators-20-name" not in form_values(response.text)
    assert "添加一行" not in said(response)


def test_figures_are_kept_as_numbers_and_come_back_as_they_are_written(client, session, author):
    figures = {"0": ("强度", "≥ 98 MPa"), "1": ("温度", "-40–85"), "2": ("回收率", "98.5%")}
    rows = {}
    for row, (name, value) in figures.items():
        rows |= {f"indicators-{row}-name": name, f"indicators-{row}-value": value}

    client.submit("/listings/new/supply", {**COMPLETE, **rows, "action": "save"})

    listing = only_listing(session)
    assert [(row["name"], row["op"], row["value"], row["value_to"], row["unit"]) for row in listing.indicators] == [
        ("强度", ">=", 98.0, None, "MPa"),
        ("温度", "range", -40.0, 85.0, ""),
        ("回收率", "=", 98.5, None, "%"),
    ]
    edit = form_values(client.get(f"/listings/{listing.id}/edit").text)
    assert [edit[f"indicators-{row}-value"] for row in range(3)] == [["≥ 98"], ["-40–85"], ["98.5"]]


@pytest.mark.parametrize("kind", Kind)
def test_saving_the_edit_form_untouched_changes_nothing(client, session, author, kind):
    rows = {
        "indicators-0-name": "强度",
        "indicators-0-value": "≥ 98",
        "indicators-0-unit": "MPa",
        "indicators-0-condition": "28 天",
    }
    every = {
        "keywords": "废水 膜分离", "fields": ["brain", "tcm"], "park_code": "binhai", "industry_code": "C26",
        "modes": ["licence", "equity"], "price_kind": "range", "price_low": "８０", "price_high": "200.5",
        "deadline_on": "2027年3月31日", "contact_name": "李敏", "contact_phone": "022-2345 6789",
        "contact_email": "li@example.com", "visibility": "managers", "is_anonymous": "1",
    }  # fmt: skip
    own = (
        {"maturity": "pilot_tested", "trl": "6", "ip_kinds": ["patent", "software"], "ip_status": "granted"}
        if kind is Kind.SUPPLY
        else {"needs_maturity": "sample", "wants_regions": ["110000"], "baseline": "一\n\n二", "hopes_for_voucher": "1"}
    )
    client.submit(f"/listings/new/{kind}", {**COMPLETE, **every, **own, **rows, "action": "save"})
    listing = only_listing(session)
    before = repository.find_versions(session, listing.id)[0].content

    values = form_values(client.get(f"/listings/{listing.id}/edit").text)
    client.submit(f"/listings/{listing.id}/edit", {**values, "csrf_token": client.token(), "action": "save"})

    after = only_listing(session)
    assert (after.version, repository.find_versions(session, after.id)[0].content) == (1, before)
    assert after.park_code == "binhai"


def test_a_published_listing_cannot_be_saved_without_what_it_must_have(client, session, author):
    listing = make_listing(session, owner=author)

    response = client.submit(f"/listings/{listing.id}/edit", {**COMPLETE, "summary": "", "action": "save"})

    assert response.status_code == 422
    assert only_listing(session).version == 1


def test_a_change_made_elsewhere_meanwhile_is_told_and_the_next_save_wins(client, session, author):
    listing = make_listing(session, owner=author, state=State.DRAFT)
    typed = {**COMPLETE, "version": "1", "action": "save"}
    client.submit(f"/listings/{listing.id}/edit", {**typed, "title": "第一个窗口的标题"})

    second = client.submit(f"/listings/{listing.id}/edit", {**typed, "title": "第二个窗口的标题"})

    assert second.status_code == 422
    assert "您打开这一页以后，它在别处又改过。" in said(second)
    values = form_values(second.text)
    assert (values["title"], values["version"]) == (["第二个窗口的标题"], ["2"])
    client.submit(f"/listings/{listing.id}/edit", {**values, "csrf_token": client.token(), "action": "save"})
    assert only_listing(session).title == "第二个窗口的标题"


@pytest.mark.parametrize("state", [State.MATCHED, State.CLOSED])
def test_what_has_ended_cannot_be_edited(client, session, author, state):
    listing = make_listing(session, owner=author, state=state)

    shown = client.get(f"/listings/{listing.id}/edit")
    saved = client.submit(f"/listings/{listing.id}/edit", {**COMPLETE, "action": "save"})

    assert (shown.status_code, saved.status_code) == (409, 409)
    assert only_listing(session).version == 1


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MANAGER, Role.MODERATOR, Role.ADMINISTRATOR])
def test_nobody_edits_the_listing_of_somebody_else(client, session, role):
    listing = make_listing(session)
    client.sign_in(make_account(session, role=role))

    shown = client.get(f"/listings/{listing.id}/edit")
    saved = client.submit(f"/listings/{listing.id}/edit", {**COMPLETE, "action": "save"})

    assert (shown.status_code, saved.status_code) == (404, 404)
    assert only_listing(session).version == 1


def test_the_form_works_without_script_and_offers_the_check_to_both(client, author):
    html = client.get("/listings/new/demand").text

    assert 'formaction="/listings/check/demand#check"' in html
    assert 'hx-post="/listings/check/demand"' in html
    assert "<script>" not in html
    assert "onclick" not in html
