"""The desk's pages: what they show, what they refuse, and that everything works by plain forms."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from factories import MONDAY
from recommending import CANARIES, TOPICS, make_manager, make_pair, make_side, only_row, recommend, withdraw
from sqlmodel import select

from backend.desk import decisions
from backend.desk.queue_page import PER_PAGE
from backend.desk.stages import Exit, Stage
from backend.desk.tables import Case, DismissalReason, ManagerProfile, Progress, Recommendation
from backend.desk.tables_pipeline import Answer, ContractKind
from backend.listings.tables import Kind, Listing, Visibility
from backend.web.language import CATALOGUES, Language
from backend.web.pages import LANGUAGE_COOKIE

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def manager(session, client):
    manager = make_manager(session)
    session.commit()
    client.sign_in(manager)
    return manager


def recommended(session, platform, manager, topic=TOPICS[0], **changes) -> Recommendation:
    make_pair(session, platform, topic, **changes)
    recommend(session, platform)
    return only_row(session, manager)


def tab_counts(page: str) -> list[int]:
    tabs = page[page.index('aria-label="推荐的处理情况"') :]
    return [int(count) for count in re.findall(r'<span class="num">(\d+)</span>', tabs[: tabs.index("</nav>")])]


def test_the_queue_shows_each_pair_with_its_reason_and_why_it_is_recommended(client, session, platform, manager):
    row = recommended(session, platform, manager)

    page = client.get("/desk").text

    for part in (TOPICS[0], "满足", "为什么推荐给您：", row.reason, "北京决定第五条", "接洽", "不合适", "以后再说"):
        assert part in page
    assert tab_counts(page) == [1, 0, 0, 0]
    assert not [canary for canary in CANARIES if canary in page]


def test_an_empty_desk_says_what_to_do_next(client, session, platform, manager):
    first = client.get("/desk").text
    session.add(ManagerProfile(account_id=manager.id, updated_at=MONDAY))
    session.commit()

    later = client.get("/desk").text
    others = [client.get(f"/desk?tab={tab}").text for tab in ("taken", "snoozed", "dismissed")]

    assert "先告诉我们您关注什么" in first
    assert "现在没有待处理的推荐" in later
    for page in others:
        assert "去看待处理的推荐" in page


def test_twenty_pairs_stand_on_a_page_and_the_rest_on_the_next(client, session, platform, manager):
    supplies = [make_side(session, platform, TOPICS[0], Kind.SUPPLY) for _ in range(3)]
    demands = [make_side(session, platform, TOPICS[0], Kind.DEMAND) for _ in range(9)]
    for supply in supplies:
        for demand in demands:
            session.add(_row(manager, supply, demand))
    session.commit()

    first, second, beyond = (client.get(f"/desk?page={number}").text for number in (1, 2, 99))

    assert [page.count("data-keys-row") for page in (first, second, beyond)] == [PER_PAGE, 7, 7]
    assert tab_counts(first) == [27, 0, 0, 0]


def _row(manager, supply, demand) -> Recommendation:
    pair = {"supply_id": supply.id, "demand_id": demand.id, "level": "fair", "fingerprint": "f" * 64}
    return Recommendation(manager_id=manager.id, score=1.0, made_at=MONDAY, **pair)


def test_taking_a_pair_leads_to_its_case_where_managers_read_what_the_public_does_not(
    client, session, platform, manager
):
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    secret = "只给技术经理人看的工艺窗口"
    text = f"{TOPICS[0]}，{secret}。"
    make_side(session, platform, TOPICS[0], Kind.DEMAND, description=text, visibility=Visibility.MANAGERS)
    recommend(session, platform)
    row = only_row(session, manager)

    page = client.submit(f"/desk/recommendations/{row.id}/take", {"rank": "1"})

    assert "/desk/cases/" in str(page.url)
    assert secret in page.text
    assert "由您负责" in page.text
    assert "撤销接洽" in page.text
    assert not [canary for canary in CANARIES if canary in page.text]
    assert tab_counts(client.get("/desk?tab=taken").text) == [0, 1, 0, 0]


def test_a_double_click_on_taking_ends_on_the_same_case(client, session, platform, manager):
    row = recommended(session, platform, manager)

    pages = [client.submit(f"/desk/recommendations/{row.id}/take") for _ in range(2)]

    assert pages[0].url == pages[1].url
    assert len(session.exec(select(Case)).all()) == 1


def test_the_loser_of_a_race_gets_a_readable_page(client, session, platform, manager):
    rival = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    decisions.take(session, only_row(session, rival).id, by=rival, now=MONDAY)
    session.commit()
    mine = only_row(session, manager)

    refused = client.submit(f"/desk/recommendations/{mine.id}/take")
    shown = client.get(f"/desk/recommendations/{mine.id}")

    assert refused.status_code == 409
    assert "另一位技术经理人已经先接洽了这一对" in refused.text
    assert "没有改变您的任何记录" in refused.text
    assert shown.status_code == 200
    assert "您不能再接洽" in shown.text
    assert f"{mine.id}/take" not in shown.text


def test_a_pair_whose_listing_is_gone_is_refused_and_its_page_says_so(client, session, platform, manager):
    row = recommended(session, platform, manager)
    withdraw(session, platform, session.get(Listing, row.supply_id))
    session.commit()

    refused = client.submit(f"/desk/recommendations/{row.id}/take")
    shown = client.get(f"/desk/recommendations/{row.id}")

    assert refused.status_code == 409
    assert "已下架，不能再接洽" in refused.text
    assert shown.status_code == 200
    assert "已不再公开" in shown.text
    assert "已下架" in shown.text
    assert tab_counts(client.get("/desk").text) == [0, 0, 0, 0]


def test_dismissing_without_a_reason_shows_the_queue_again_with_the_error_at_the_pair(
    client, session, platform, manager
):
    row = recommended(session, platform, manager)

    answer = client.submit(f"/desk/recommendations/{row.id}/dismiss", {"reason": "", "from": "queue"})
    on_its_page = client.submit(f"/desk/recommendations/{row.id}/dismiss", {"reason": "x", "from": "pair"})

    for page in (answer, on_its_page):
        assert page.status_code == 422
        assert "请选择一个不合适的理由" in page.text
        assert "<title>错误" in page.text
    assert f'href="#f-reason-{row.id}"' in answer.text
    assert f'id="f-reason-{row.id}"' in answer.text
    assert 'href="#f-reason"' in on_its_page.text
    assert row.progress is Progress.OPEN


def test_what_was_dismissed_can_be_undone_from_the_next_page(client, session, platform, manager):
    row = recommended(session, platform, manager)

    after = client.submit(f"/desk/recommendations/{row.id}/dismiss", {"reason": "money"})
    undo = re.search(r'action="([^"]*/undo)"', after.text)[1]
    counts_between = tab_counts(after.text)
    back = client.submit(undo)

    assert "记为不合适：价格与预算相差太大" in after.text
    assert counts_between == [0, 0, 0, 1]
    assert tab_counts(back.text) == [1, 0, 0, 0]


def test_what_was_put_off_stands_in_its_own_list_with_its_day(client, session, platform, manager):
    row = recommended(session, platform, manager)

    client.submit(f"/desk/recommendations/{row.id}/snooze", {"days": "7"})
    page = client.get("/desk?tab=snoozed").text

    assert tab_counts(page) == [0, 0, 1, 0]
    assert "2026-11-30 提醒您再看" in page
    assert "放回待处理" in page


@pytest.mark.parametrize("days", ["", "0", "8", "-1", "一"])
def test_a_day_that_is_not_offered_is_refused(client, session, platform, manager, days):
    row = recommended(session, platform, manager)

    assert client.submit(f"/desk/recommendations/{row.id}/snooze", {"days": days}).status_code == 422


def test_a_list_keeps_its_page_after_a_decision(client, session, platform, manager):
    row = recommended(session, platform, manager)

    answer = client.submit(
        f"/desk/recommendations/{row.id}/dismiss",
        {"reason": "known", "tab": "open", "page": "2"},
        follow_redirects=False,
    )

    assert answer.status_code == 303
    assert "page=2" in answer.headers["location"]


def test_a_profile_takes_effect_on_the_very_next_page(client, session, platform, manager):
    make_pair(session, platform, TOPICS[0], fields=["tcm"])
    make_pair(session, platform, TOPICS[1], fields=["vehicles"])
    recommend(session, platform)

    narrow = client.submit("/desk/profile", {"fields": ["tcm"], "prefers_cross_region": "1", "personalised": "1"})
    switched_off = client.submit("/desk/profile", {"fields": ["tcm"]})

    assert TOPICS[0] in narrow.text
    assert TOPICS[1] not in narrow.text
    assert "您关注的领域：组分中药" in narrow.text
    assert TOPICS[1] in switched_off.text
    assert "个性化推荐已关闭" in switched_off.text
    assert "没有使用您的个人设置" in switched_off.text


def test_the_profile_form_shows_what_is_kept(client, session, platform, manager):
    client.submit("/desk/profile", {"regions": ["130200"], "expertise": "膜分离", "personalised": "1"})

    page = client.get("/desk/profile").text

    assert re.search(r'value="130200" checked', page)
    assert "膜分离" in page
    assert not re.search(r'name="prefers_cross_region"[^>]* checked', page)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"regions": ["999999"]}, "地区没有“999999”这个选项"),
        ({"regions": ["110108"]}, "地区没有“110108”这个选项"),
        ({"fields": ["x"]}, "优先领域没有“x”这个选项"),
        ({"expertise": "长" * 2001}, "专长太长"),
        ({"expertise": "膜\x00分离"}, "控制字符"),
    ],
)
def test_a_profile_that_cannot_be_kept_comes_back_with_its_values(client, session, manager, values, sentence):
    answer = client.submit("/desk/profile", {"expertise": "电渗析", **values})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert session.get(ManagerProfile, manager.id) is None
    if "expertise" not in values:
        assert "电渗析" in answer.text


def test_the_recommendations_and_cases_of_others_do_not_exist(client, session, platform, manager):
    other = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    theirs = only_row(session, other)
    case = decisions.take(session, theirs.id, by=other, now=MONDAY)
    session.commit()

    assert client.get(f"/desk/recommendations/{theirs.id}").status_code == 404
    assert client.get(f"/desk/cases/{case.id}").status_code == 404
    assert client.submit(f"/desk/recommendations/{theirs.id}/undo").status_code == 404
    assert client.get("/desk/recommendations/nonsense").status_code == 404


def test_a_case_stays_readable_when_a_listing_leaves_the_market(client, session, platform, manager):
    row = recommended(session, platform, manager)
    case = decisions.take(session, row.id, by=manager, now=MONDAY)
    withdraw(session, platform, session.get(Listing, row.demand_id))
    session.commit()

    page, listed = client.get(f"/desk/cases/{case.id}"), client.get("/desk?tab=taken")

    assert page.status_code == listed.status_code == 200
    assert "已不再公开" in page.text
    assert "已下架" in listed.text


def test_every_page_of_the_desk_has_one_heading_and_one_primary_button(client, session, platform, manager):
    row = recommended(session, platform, manager)
    make_pair(session, platform, TOPICS[1])
    recommend(session, platform)

    addresses = ["/desk", "/desk/profile", f"/desk/recommendations/{row.id}", "/digest"]
    pages = [client.get(address).text for address in addresses]

    for page in pages:
        assert page.count("<h1>") == 1
        assert page.count("button-primary") == 1
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_a_reason_from_another_vocabulary_is_no_reason(client, session, platform, manager):
    row = recommended(session, platform, manager)

    answer = client.submit(f"/desk/recommendations/{row.id}/dismiss", {"reason": "hate"})

    assert answer.status_code == 422
    assert {reason.value for reason in DismissalReason}.isdisjoint({"hate"})


@pytest.mark.parametrize("vocabulary", [Progress, DismissalReason, Stage, Exit, ContractKind, Answer])
@pytest.mark.parametrize("language", [Language.ENGLISH, Language.TRADITIONAL])
def test_every_word_of_the_tables_is_said_in_the_other_languages(vocabulary, language):
    with (PROJECT / "frontend" / "locales" / f"{CATALOGUES[language]}.po").open("rb") as file:
        known = {message.id for message in read_po(file) if message.string}

    assert {member.label for member in vocabulary if member.label} <= known


def test_the_reasons_are_offered_in_english_to_who_reads_english(client, session, platform, manager):
    recommended(session, platform, manager)

    client.cookies.set(LANGUAGE_COOKIE, "en")
    page = client.get("/desk").text

    assert "Other technical direction" in page
    assert "技术方向不符" not in page
