import re
from datetime import timedelta

import pytest
from factories import MONDAY, listing_form, make_account, make_listing
from postings import COMPLETE, form_values, only_listing, said
from sqlmodel import select

from backend.accounts.tables import Role, TrailEntry
from backend.listings import service
from backend.listings.tables import Kind, Listing, ListingEvent, State

DEEDS = ("submit", "withdraw", "renew", "close")


@pytest.fixture
def author(session, client):
    account = make_account(session)
    client.sign_in(account)
    return account


def test_who_has_posted_nothing_is_told_how_to_begin(client, author):
    text = said(client.get("/my/listings"))

    assert "您还没有发布过" in text
    assert 'href="/listings/new/demand"' in text


def test_the_list_has_a_tab_and_a_count_for_every_state(client, session, author):
    make_listing(session, owner=author, state=State.DRAFT)
    make_listing(session, owner=author, state=State.DRAFT)
    make_listing(session, owner=author, state=State.RETURNED)
    make_listing(session, title="别人的条目")

    everything, drafts = client.get("/my/listings"), client.get("/my/listings?state=draft")

    tabs = dict(re.findall(r'<a href="/my/listings[^"]*"[^>]*>([^<]+)<span class="num">(\d+)</span>', everything.text))
    assert tabs == {
        "全部": "3", "草稿": "2", "待审核": "0", "已退回": "1", "已发布": "0",
        "已对接": "0", "已结束": "0", "已过期": "0", "已下架": "0",
    }  # fmt: skip
    assert (everything.text.count("<article"), drafts.text.count("<article")) == (3, 2)
    assert "别人的条目" not in everything.text


def test_a_returned_listing_shows_the_reason_in_the_list(client, session, author):
    make_listing(session, owner=author, state=State.RETURNED)

    assert "理由：请补充指标。" in said(client.get("/my/listings"))


def test_a_long_list_has_pages_and_a_page_too_far_is_the_last(client, session, author):
    for number in range(21):
        make_listing(session, owner=author, state=State.DRAFT, title=f"第{number:02}条的标题")

    first, last, beyond = (client.get(f"/my/listings?state=draft&page={page}") for page in (1, 2, 99))

    assert [page.text.count("<article") for page in (first, last, beyond)] == [20, 1, 1]
    assert 'href="/my/listings?state=draft&amp;page=2"' in first.text


def test_an_unknown_state_shows_everything(client, session, author):
    make_listing(session, owner=author, state=State.DRAFT)

    assert client.get("/my/listings?state=%00&page=x").text.count("<article") == 1


@pytest.mark.parametrize("state", State)
def test_each_state_says_what_comes_next_and_offers_just_what_the_rules_allow(client, session, author, state):
    listing = make_listing(session, owner=author, state=state)
    banner, offered = {
        State.DRAFT: ("草稿，还没有提交。", {"submit", "withdraw"}),
        State.PENDING: ("已提交，等待审核。", {"withdraw"}),
        State.RETURNED: ("审核员退回了这一条。", {"submit", "withdraw"}),
        State.PUBLISHED: ("已公开，正在匹配。", {"withdraw", "renew", "close"}),
        State.MATCHED: ("已经对接。", set()),
        State.CLOSED: ("已经结束。", set()),
        State.EXPIRED: ("已经到期。", {"renew"}),
        State.WITHDRAWN: ("已经下架。", {"renew"}),
    }[state]

    html = client.get(f"/my/listings/{listing.id}").text

    assert banner in html
    assert {deed for deed in DEEDS if f'action="/my/listings/{listing.id}/{deed}"' in html} == offered
    assert (f'href="/listings/{listing.id}/edit"' in html) == (state in service.EDITABLE)


def test_a_waiting_listing_says_how_many_are_before_it(client, session, author):
    for hour in range(3):
        make_listing(session, state=State.PENDING, now=MONDAY - timedelta(hours=hour + 1))
    own = make_listing(session, owner=author, state=State.PENDING)

    assert "前面还有 3 条。" in said(client.get(f"/my/listings/{own.id}"))


def test_the_history_tells_the_reason_but_not_who_reviewed(client, session, author):
    listing = make_listing(session, owner=author, state=State.PENDING)
    moderator = make_account(session, role=Role.MODERATOR, display_name="审核人甲")
    service.return_listing(session, listing.id, by=moderator, now=MONDAY, reason="请写明\n测试条件。")

    text = said(client.get(f"/my/listings/{listing.id}"))

    assert "请写明" in text
    assert "测试条件。" in text
    assert "审核人甲" not in text


def test_versions_are_compared_field_by_field(client, session, author):
    listing = make_listing(session, owner=author, state=State.DRAFT)
    changed = listing_form(title="新的标题", price_kind="negotiable", price_low=None, price_high=None)
    service.update_listing(session, listing.id, changed, by=author, now=MONDAY, submit=False)

    text = said(client.get(f"/my/listings/{listing.id}"))

    assert re.search(r"<del>.*钢渣微粉制备高强混凝土掺合料</del>\s*<ins>.*新的标题</ins>", text)
    assert re.search(r"<del>.*区间</del>\s*<ins>.*面议</ins>", text)


def test_handing_in_what_lacks_something_opens_the_form_with_what_is_missing(client, session, author):
    listing = make_listing(session, owner=author, state=State.DRAFT, summary="", modes=[])

    response = client.submit(f"/my/listings/{listing.id}/submit")

    assert response.status_code == 422
    assert '<a href="#f-summary">请填写简介' in said(response)
    assert form_values(response.text)["title"] == [listing.title]
    assert only_listing(session).state is State.DRAFT


def test_a_withdrawn_listing_can_be_brought_back(client, session, author):
    listing = make_listing(session, owner=author)

    withdrawn = client.submit(f"/my/listings/{listing.id}/withdraw")
    offered = f'action="/my/listings/{listing.id}/renew"' in withdrawn.text
    client.submit(f"/my/listings/{listing.id}/renew")

    assert "已下架，内容都保留着，可以在这一页重新提交。" in said(withdrawn)
    assert offered
    assert only_listing(session).state is State.PENDING


def test_renewing_a_published_listing_says_until_when(client, session, author, clock):
    listing = make_listing(session, owner=author)
    clock.advance(days=10)
    client.sign_in(author)

    response = client.submit(f"/my/listings/{listing.id}/renew")

    assert "已续期到 2027-06-01。" in said(response)
    assert only_listing(session).expires_at == MONDAY + timedelta(days=190)


@pytest.mark.parametrize(("outcome", "state"), [("matched", State.MATCHED), ("closed", State.CLOSED)])
def test_a_listing_is_ended_with_its_outcome(client, session, author, outcome, state):
    listing = make_listing(session, owner=author)

    client.submit(f"/my/listings/{listing.id}/close", {"outcome": outcome})

    assert only_listing(session).state is state


@pytest.mark.parametrize("outcome", ["", "won", "matched\x00"])
def test_ending_a_listing_without_an_outcome_asks_for_one(client, session, author, outcome):
    listing = make_listing(session, owner=author)

    response = client.submit(f"/my/listings/{listing.id}/close", {"outcome": outcome})

    assert response.status_code == 422
    assert '<a href="#f-outcome">请选择结束的原因：已经对接，或者不再需要。</a>' in said(response)
    assert only_listing(session).state is State.PUBLISHED


@pytest.mark.parametrize("role", Role)
def test_the_listing_of_somebody_else_does_not_exist_whatever_is_tried(client, session, role):
    listing = make_listing(session)
    client.sign_in(make_account(session, role=role))

    answers = [client.get(f"/my/listings/{listing.id}").status_code]
    answers += [client.submit(f"/my/listings/{listing.id}/{deed}", {"outcome": "closed"}).status_code for deed in DEEDS]

    assert answers == [404] * 5
    assert only_listing(session).state is State.PUBLISHED


POSTS = [
    "/listings/new/supply",
    "/listings/{id}/edit",
    *(f"/my/listings/{{id}}/{deed}" for deed in DEEDS),
    *(f"/moderation/{{id}}/{deed}" for deed in ("publish", "return", "withdraw")),
]


def everything_kept(session):
    session.expire_all()
    return [
        [row.model_dump() for row in session.exec(select(table)).all()] for table in (Listing, ListingEvent, TrailEntry)
    ]


def test_no_form_is_accepted_without_its_token(client, session, author):
    listing = make_listing(session, owner=author)
    moderator = make_account(session, role=Role.MODERATOR)
    before = everything_kept(session)

    for account in (author, moderator):
        client.sign_in(account)
        for path in POSTS:
            values = {**COMPLETE, "outcome": "closed", "reason": "理由", "csrf_token": "forged.token"}
            for data in (values, {name: value for name, value in values.items() if name != "csrf_token"}):
                answer = client.post(path.format(id=listing.id), data=data)
                assert (path, answer.status_code) == (path, 403)

    assert everything_kept(session) == before


def test_opening_a_page_changes_nothing(client, session, author, queued):
    listings = [make_listing(session, owner=author, kind=kind) for kind in Kind]
    waiting = make_listing(session, state=State.PENDING)
    moderator = make_account(session, role=Role.MODERATOR)
    before, jobs = everything_kept(session), queued()

    for path in ("/listings/new", "/listings/new/supply", "/my/listings"):
        assert client.get(path).status_code == 200
    for listing in listings:
        assert client.get(f"/my/listings/{listing.id}").status_code == 200
        assert client.get(f"/listings/{listing.id}/edit").status_code == 200
        for deed in DEEDS:
            assert client.get(f"/my/listings/{listing.id}/{deed}").status_code == 405
    client.sign_in(moderator)
    for path in ("/moderation", f"/moderation/{waiting.id}", f"/moderation/{listings[0].id}"):
        assert client.get(path).status_code == 200

    assert (everything_kept(session), queued()) == (before, jobs)


def test_every_step_is_written_into_the_trail_with_who_and_from_where(client, session, author):
    client.submit("/listings/new/supply", {**COMPLETE, "action": "save"})
    listing = only_listing(session)
    client.submit(f"/my/listings/{listing.id}/submit")
    client.submit(f"/my/listings/{listing.id}/withdraw")

    entries = session.exec(select(TrailEntry).where(TrailEntry.subject == f"listing:{listing.id}")).all()
    assert [(entry.action, entry.actor_id, entry.source, entry.detail) for entry in entries] == [
        ("listings.draft", author.id, "testclient", {"version": 1, "to": "草稿"}),
        ("listings.submit", author.id, "testclient", {"version": 1, "from": "草稿", "to": "待审核"}),
        ("listings.withdraw", author.id, "testclient", {"version": 1, "from": "待审核", "to": "已下架"}),
    ]
