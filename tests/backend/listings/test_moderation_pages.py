import re
from datetime import timedelta

import pytest
from factories import MONDAY, listing_form, make_account, make_listing, make_organisation
from postings import form_values, only_listing, said

from backend.accounts.tables import Role
from backend.listings import repository, service
from backend.listings.tables import State


@pytest.fixture
def moderator(session, client):
    account = make_account(session, role=Role.MODERATOR)
    client.sign_in(account)
    return account


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MODERATOR])
def test_only_moderators_see_the_queue_and_decide(client, session, role):
    listing = make_listing(session, state=State.PENDING)
    client.sign_in(make_account(session, role=role))

    answers = [client.get(path).status_code for path in ("/moderation", f"/moderation/{listing.id}")]
    answers += [
        client.submit(f"/moderation/{listing.id}/{deed}", {"version": "1", "reason": "理由"}).status_code
        for deed in ("publish", "return", "withdraw")
    ]

    assert answers == [403] * 5
    assert only_listing(session).state is State.PENDING


def test_a_visitor_is_sent_to_the_login(client):
    assert client.get("/moderation", follow_redirects=False).headers["location"] == "/login?next=%2Fmoderation"


def test_an_empty_queue_says_so(client, moderator):
    assert "没有待审核的条目" in said(client.get("/moderation"))


def test_the_queue_has_the_longest_wait_first_with_its_age_and_what_to_look_at(client, session, moderator):
    verified = make_account(session, organisation_id=make_organisation(session, verified_at=MONDAY).id)
    figure = {"name": "强度", "op": ">=", "value": 98}
    make_listing(
        session,
        state=State.PENDING,
        title="今天提交的条目",
        owner=verified,
        indicators=[figure],
        description="长" * 100,
    )
    old = MONDAY - timedelta(days=3)
    make_listing(
        session, state=State.PENDING, title="等了三天的条目", now=old, description="请拨打 13812345678 联系我们，" * 2
    )

    text = said(client.get("/moderation"))

    assert "共 2 条" in text
    first, second = text.split("<article")[1:]
    assert "等了三天的条目" in first
    assert "等了 3 天" in first
    for hint in ("公开的文字里有联系方式", "详细说明只有", "没有技术指标", "单位尚未核实"):
        assert hint in first
        assert hint not in second
    assert "今天提交" in second


def test_a_long_queue_has_pages(client, session, moderator):
    for _ in range(21):
        make_listing(session, state=State.PENDING)

    assert [client.get(f"/moderation?page={page}").text.count("<article") for page in (1, 2)] == [20, 1]


def test_a_reviewer_sees_contact_hidden_description_and_the_name_behind_an_anonymous_listing(
    client, session, moderator
):
    organisation = make_organisation(session, name="不愿具名的单位")
    owner = make_account(session, organisation_id=organisation.id)
    listing = make_listing(
        session,
        state=State.PENDING,
        owner=owner,
        is_anonymous=True,
        visibility="managers",
        contact_phone="022-23456789",
    )

    text = said(client.get(f"/moderation/{listing.id}"))

    for shown in ("不愿具名的单位", "022-23456789", "28 天活性指数达到 98%"):
        assert shown in text


def test_a_draft_that_was_never_handed_in_is_nobodys_business(client, session, moderator):
    listing = make_listing(session, state=State.DRAFT)

    assert client.get(f"/moderation/{listing.id}").status_code == 404


def test_publishing_tells_the_queue_the_index_and_the_author(client, session, moderator, queued):
    listing = make_listing(session, state=State.PENDING)

    response = client.submit(f"/moderation/{listing.id}/publish", {"version": "1"})

    assert response.url.path == "/moderation"
    assert "已发布《钢渣微粉制备高强混凝土掺合料》，已写邮件告诉作者。" in said(response)
    published = only_listing(session)
    assert (published.state, published.published_at, published.expires_at) == (
        State.PUBLISHED,
        MONDAY,
        MONDAY + timedelta(days=180),
    )
    assert queued() == [
        ("matching.follow", {"listing_id": str(listing.id)}),
        ("listings.tell_owner", {"listing_id": str(listing.id), "state": "published"}),
    ]


@pytest.mark.parametrize("version", ["", "2", "x", "1" * 40])
def test_what_the_reviewer_did_not_see_is_not_published(client, session, moderator, version):
    listing = make_listing(session, state=State.PENDING)

    response = client.submit(f"/moderation/{listing.id}/publish", {"version": version})

    assert response.status_code == 409
    assert "请重新打开它，看过新的内容再决定。" in said(response)
    assert only_listing(session).state is State.PENDING


def test_a_second_reviewer_is_told_that_it_is_decided(client, session, moderator):
    listing = make_listing(session, state=State.PENDING)
    client.submit(f"/moderation/{listing.id}/publish", {"version": "1"})

    response = client.submit(f"/moderation/{listing.id}/return", {"version": "1", "reason": "太晚了"})

    assert response.status_code == 409
    assert only_listing(session).state is State.PUBLISHED


def test_the_reason_reaches_the_author_as_ready_sentences_and_own_words(client, session, moderator):
    listing = make_listing(session, state=State.PENDING)
    values = {"version": "1", "ready": ["indicators", "nonsense", "contact"], "reason": "  另请写明测试条件。 "}

    client.submit(f"/moderation/{listing.id}/return", values)

    step = repository.find_last_step_to(session, listing.id, State.RETURNED)
    assert step.reason == (
        "请补充技术指标：写明名称、数值和单位，对方才能逐项对照。\n"
        "公开的文字里有联系方式，请移到“联系”一节，那里不公开。\n"
        "另请写明测试条件。"
    )


def test_a_reason_that_is_missing_or_too_long_is_asked_for_and_nothing_typed_is_lost(client, session, moderator):
    listing = make_listing(session, state=State.PENDING)

    missing = client.submit(f"/moderation/{listing.id}/return", {"version": "1", "reason": " "})
    long = client.submit(f"/moderation/{listing.id}/return", {"version": "1", "ready": "vague", "reason": "长" * 500})

    assert (missing.status_code, long.status_code) == (422, 422)
    assert '<a href="#f-reason">请写明退回的理由，作者会原样看到。</a>' in said(missing)
    assert "请控制在 500 字以内。" in said(long)
    assert "长" * 500 in long.text
    assert re.search(r'value="vague" checked', long.text)
    assert only_listing(session).state is State.PENDING


@pytest.mark.parametrize("reason", ["零\x00字节", "反\u202e转"])
def test_a_reason_with_characters_that_no_text_may_hold_is_refused(client, session, moderator, reason):
    listing = make_listing(session, state=State.PENDING)

    response = client.submit(f"/moderation/{listing.id}/return", {"version": "1", "reason": reason})

    assert response.status_code == 422
    assert only_listing(session).state is State.PENDING


def test_a_published_listing_is_taken_down_with_a_reason(client, session, moderator, queued):
    listing = make_listing(session)
    before = len(queued())

    refused = client.submit(f"/moderation/{listing.id}/withdraw", {"reason": ""})
    client.submit(f"/moderation/{listing.id}/withdraw", {"reason": "与事实不符。"})

    assert refused.status_code == 422
    assert only_listing(session).state is State.WITHDRAWN
    assert queued()[before:] == [
        ("matching.follow", {"listing_id": str(listing.id)}),
        ("listings.tell_owner", {"listing_id": str(listing.id), "state": "withdrawn"}),
    ]


def test_what_changed_since_it_was_last_public_is_shown(client, session, moderator):
    owner = make_account(session)
    listing = make_listing(session, owner=owner, title="公开过的标题")
    changed = listing_form(title="改过的标题")
    service.update_listing(session, listing.id, changed, by=owner, now=MONDAY + timedelta(hours=1), submit=True)

    text = said(client.get(f"/moderation/{listing.id}"))

    assert "与上次公开的内容相比" in text
    assert re.search(r"<del>.*公开过的标题</del>\s*<ins>.*改过的标题</ins>", text)


def test_a_moderator_is_offered_no_decision_on_a_listing_of_their_own(client, session):
    moderator = make_account(session, role=Role.MODERATOR, organisation_id=make_organisation(session).id)
    listing = make_listing(session, state=State.PENDING, owner=moderator)
    client.sign_in(moderator)

    shown = client.get(f"/moderation/{listing.id}")
    tried = client.submit(f"/moderation/{listing.id}/publish", {"version": "1"})

    assert "这是您自己发布的。" in said(shown)
    assert "/publish" not in shown.text
    assert tried.status_code == 403


def test_a_reviewers_page_sends_the_version_it_shows(client, session, moderator):
    listing = make_listing(session, state=State.PENDING)

    html = client.get(f"/moderation/{listing.id}").text

    assert html.count('<input type="hidden" name="version" value="1">') == 2
    assert form_values(html) == {}
