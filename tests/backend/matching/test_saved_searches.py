"""Saved searches: kept once, shown to their owner alone, so many and no more, and free of JavaScript."""

import json
from uuid import uuid4

import pytest
from factories import MONDAY, make_account
from sqlmodel import select

from backend.accounts.tables import Role, TrailEntry
from backend.errors import Conflict, NotFound
from backend.matching import saved_searches
from backend.matching.query import SearchQuery
from backend.matching.tables import SavedSearch

ASKED = {"q": "固态电池", "kind": "supply", "region": ["120000", "110000"], "sort": "newest"}


@pytest.fixture
def member(client, session):
    account = make_account(session)
    client.sign_in(account)
    return account


def saved_by(session, account) -> list[SavedSearch]:
    session.expire_all()
    return list(session.exec(select(SavedSearch).where(SavedSearch.account_id == account.id)))


def actions(session, account) -> list[str]:
    entries = select(TrailEntry.action).where(TrailEntry.actor_id == account.id).order_by(TrailEntry.id)
    return [action for action in session.exec(entries) if "search" in action]


def test_the_button_of_the_list_saves_what_its_form_holds(client, session, member):
    shown = client.get("/listings", params=ASKED).text
    client.submit("/my/searches", ASKED)

    (saved,) = saved_by(session, member)
    assert "保存搜索" in shown
    assert saved.parameters == {"q": "固态电池", "kind": "supply", "region": ["120000", "110000"], "sort": "newest"}
    assert saved.name == "固态电池 · 成果 · 天津市 · 北京市"
    assert "这个搜索已经保存" in client.get("/listings", params=ASKED).text
    assert "q=%E5%9B%BA%E6%80%81%E7%94%B5%E6%B1%A0&amp;kind=supply&amp;region=120000" in client.get("/my/searches").text


@pytest.mark.parametrize(
    "same",
    [
        {**ASKED, "region": ["110000", "120000"]},
        {**ASKED, "sort": "deadline"},
        {**ASKED, "page": "3"},
        {**ASKED, "q": " 固態電池 "},
    ],
)
def test_what_asks_the_same_is_kept_once(client, session, member, same):
    client.submit("/my/searches", ASKED)

    answer = client.submit("/my/searches", same)

    assert "这个搜索以前保存过" in answer.text
    assert len(saved_by(session, member)) == 1
    assert actions(session, member) == ["matching.save_search"]


def test_a_search_that_asks_nothing_is_not_saved(client, session, member):
    assert client.submit("/my/searches", {"sort": "newest"}).status_code == 422
    assert saved_by(session, member) == []
    assert "保存搜索" not in client.get("/listings").text


def test_one_more_than_the_most_is_refused_with_a_way_out(client, session, member):
    for number in range(saved_searches.MOST_SAVED):
        client.submit("/my/searches", {"q": f"词{number}"})

    answer = client.submit("/my/searches", {"q": "再来一个"})

    assert answer.status_code == 409
    assert "最多保存 20 个搜索" in answer.text
    assert len(saved_by(session, member)) == saved_searches.MOST_SAVED


def test_a_saved_search_is_renamed_taken_out_of_the_digest_and_deleted(client, session, member):
    client.submit("/my/searches", ASKED)
    (saved,) = saved_by(session, member)
    base = f"/my/searches/{saved.id}"

    client.submit(f"{base}/name", {"name": "我的电池"})
    client.submit(f"{base}/name", {"name": "我的电池"})
    refused = client.submit(f"{base}/name", {"name": "长" * 61})
    client.submit(f"{base}/digest", {"wanted": "no"})

    (saved,) = saved_by(session, member)
    assert (saved.name, saved.in_digest) == ("我的电池", False)
    assert refused.status_code == 422
    assert "长" * 61 in refused.text
    page = client.submit(f"{base}/delete")
    assert "还没有保存的搜索" in page.text
    assert actions(session, member) == [
        "matching.save_search",
        "matching.rename_search",
        "matching.search_in_digest",
        "matching.delete_search",
    ]


def test_nobody_else_reaches_it(client, session, member):
    client.submit("/my/searches", ASKED)
    (saved,) = saved_by(session, member)
    client.sign_in(make_account(session))

    answers = [client.submit(f"/my/searches/{saved.id}/{deed}", {"name": "x"}) for deed in ("name", "digest", "delete")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert "固态电池" not in client.get("/my/searches").text
    with pytest.raises(NotFound):
        saved_searches.delete_search(session, uuid4(), by=member, now=MONDAY)
    assert len(saved_by(session, member)) == 1


def test_who_has_no_digest_saves_without_one(session, platform):
    auditor = make_account(session, role=Role.AUDITOR)
    query = SearchQuery(text="膜")

    saved, _ = saved_searches.save_search(session, auditor, query, catalogue=platform.catalogue, now=MONDAY)

    assert not saved.in_digest
    with pytest.raises(Conflict, match="没有周报"):
        saved_searches.put_in_digest(session, saved.id, wanted=True, by=auditor, now=MONDAY)


@pytest.mark.usefixtures("member")
def test_saved_searches_are_in_the_copy_of_ones_data_but_not_in_the_trail(client, session):
    client.submit("/my/searches", ASKED)

    copy = json.loads(client.submit("/account/export").text)

    assert copy["saved_searches"][0]["parameters"]["q"] == "固态电池"
    assert "固态电池" not in json.dumps(copy["trail"], ensure_ascii=False)


def test_visitors_are_asked_to_sign_in_and_see_no_button(client):
    assert "保存搜索" not in client.get("/listings?q=膜").text
    assert client.get("/my/searches", follow_redirects=False).status_code in {302, 303}
