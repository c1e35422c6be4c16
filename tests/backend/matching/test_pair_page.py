"""One pair on its own page, and what people say of it."""

from uuid import uuid4

import pytest
from factories import make_account
from sqlmodel import select
from test_listing_page import DEMAND, SUPPLY, bundles

from backend.accounts.tables import Role
from backend.digests.items import make_item
from backend.errors import Forbidden
from backend.listings import service as listings
from backend.listings.repository import load_bundles
from backend.listings.tables import Kind, Visibility
from backend.matching import service
from backend.matching.bridges import bridge_of
from backend.matching.data import match_as_data
from backend.matching.explanation import pair_text
from backend.matching.feedback import Shown, UnfitReason
from backend.matching.pair_page import judge_pair
from backend.matching.tables import MatchFeedback, Verdict


@pytest.fixture
def owner(session):
    return make_account(session)


@pytest.fixture
def pair(publish, owner):
    return publish(**DEMAND, kind=Kind.DEMAND, owner=owner), publish(**SUPPLY)


@pytest.fixture
def address(pair):
    demand, supply = pair
    return f"/pairs/{demand.id}/{supply.id}"


def test_both_sides_stand_beside_each_other_with_the_evidence_marked(client, address, pair):
    text = client.get(address).text

    assert all(listing.title in text for listing in pair)
    originals = text.split('id="texts"')[1]
    assert "<mark>" in originals
    assert "坐稳两分钟后接触阻抗 32 kΩ" in originals.replace("<mark>", "").replace("</mark>", "")
    assert "逐项对照" in text
    assert "北京决定第五条" in text


@pytest.mark.parametrize("swap", [True, False])
def test_a_pair_that_is_none_is_not_found(client, pair, swap):
    demand, supply = pair

    wrong = f"/pairs/{supply.id}/{demand.id}" if swap else f"/pairs/{demand.id}/{uuid4()}"

    assert client.get(wrong).status_code == 404


def test_a_pair_with_a_side_gone_shows_titles_and_states_only(client, session, address, pair, owner, now):
    listings.withdraw_listing(session, pair[0].id, by=owner, now=now)

    text = client.get(address).text

    assert "已下架" in text
    assert pair[0].title in text
    assert DEMAND["description"] not in text
    assert SUPPLY["description"] not in text


def test_visitors_and_strangers_see_no_form_and_cannot_speak(client, session, address):
    assert 'name="verdict"' not in client.get(address).text
    assert client.submit(address, {"verdict": "fits"}).status_code == 401

    client.sign_in(make_account(session))
    assert 'name="verdict"' not in client.get(address).text
    assert client.submit(address, {"verdict": "fits"}).status_code == 403
    assert session.exec(select(MatchFeedback)).all() == []


def test_feedback_is_kept_with_the_rank_and_the_level_that_were_shown(client, session, address, pair, owner):
    client.sign_in(owner)
    page = client.get(f"{address}?rank=4").text
    assert 'name="rank" value="4"' in page
    level = page.split('name="level" value="')[1].split('"')[0]

    answer = client.submit(address, {"verdict": "unfit", "reason": UnfitReason.MONEY, "level": level, "rank": "4"})

    kept = session.exec(select(MatchFeedback)).one()
    assert answer.status_code == 200
    assert (kept.account_id, kept.demand_id, kept.supply_id) == (owner.id, pair[0].id, pair[1].id)
    assert (kept.verdict, kept.reason, kept.level_shown, kept.rank_shown) == (Verdict.UNFIT, "money", level, 4)
    assert "您上次的意见：不合适（价格与预算相差太大）" in client.get(address).text


@pytest.mark.parametrize("has_changed", [False, True])
def test_what_the_judgement_rested_on_is_kept_unless_a_side_has_changed_since(
    client, session, address, pair, owner, platform, has_changed
):
    client.sign_in(owner)
    seal = client.get(address).text.split('name="seal" value="')[1].split('"')[0]
    demand, supply = (pair_text(load_bundles(session, [one.id])[one.id]) for one in pair)
    (judged,) = platform.scorer.judge(demand, [supply])
    if has_changed:
        pair[1].content_hash = "0" * 64
        session.flush()

    client.submit(address, {"verdict": "fits", "level": "weak", "rank": "2", "seal": seal})

    kept = session.exec(select(MatchFeedback)).one()
    if has_changed:
        assert (kept.features, kept.ranker_shown, kept.level_shown) == (None, None, "weak")
    else:
        assert kept.features == dict(judged.features)
        assert (kept.ranker_shown, kept.level_shown) == (platform.scorer.name, judged.level.value)


def test_a_later_word_replaces_the_earlier_one(client, session, address):
    client.sign_in(make_account(session, role=Role.MANAGER))

    client.submit(address, {"verdict": "unfit", "reason": "place", "level": "fair", "rank": "1"})
    client.submit(address, {"verdict": "fits", "reason": "place", "level": "fair", "rank": "2"})

    kept = session.exec(select(MatchFeedback)).one()
    assert (kept.verdict, kept.reason, kept.rank_shown) == (Verdict.FITS, "", 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "unfit"},
        {"verdict": "unfit", "reason": "bored"},
        {"verdict": "perhaps"},
        {},
        {"verdict": "fits", "level": "99"},
    ],
)
def test_a_verdict_that_cannot_be_read_is_answered_beside_the_form(client, session, address, wrong, owner):
    client.sign_in(owner)

    answer = client.submit(address, wrong)

    assert answer.status_code == 422
    assert 'class="errors"' in answer.text
    assert session.exec(select(MatchFeedback)).all() == []


@pytest.mark.parametrize("rank", ["-1", "abc", "99999999999", "１"])
def test_a_strange_rank_is_kept_as_none(client, session, address, rank, owner):
    client.sign_in(owner)

    client.submit(address, {"verdict": "later", "rank": rank})

    assert session.exec(select(MatchFeedback)).one().rank_shown == 0


def test_the_service_itself_refuses_strangers(session, pair, now):
    with pytest.raises(Forbidden):
        service.record_feedback(
            session,
            make_account(session),
            supply_id=pair[1].id,
            demand_id=pair[0].id,
            verdict=Verdict.FITS,
            reason="",
            shown=Shown(),
            now=now,
        )


def test_other_words_for_the_same_are_told_on_page_api_and_digest_to_whom_the_texts_are_open(
    client, session, platform, publish
):
    told = "电池管理系统 = BMS"
    demand = publish("求储能电池管理系统标定平台", kind=Kind.DEMAND)
    opened, closed = (
        publish("储能标定平台", description="多通道 BMS 标定，含脚本。", visibility=visibility)
        for visibility in (Visibility.PUBLIC, Visibility.MANAGERS)
    )

    for supply, is_told in ((opened, True), (closed, False)):
        asked, offered = bundles(session, demand, supply)
        pair = judge_pair(asked, offered, platform=platform)
        bridge = bridge_of(pair, catalogue=platform.catalogue, reader=None)
        item = make_item(pair, bridge, why="", href="", settings=platform.settings)
        match = service.Match(offered, pair.level, 0.0, pair.explanation)
        data = match_as_data(match, platform.catalogue, reader=None, of=asked)

        assert (told in client.get(f"/pairs/{demand.id}/{supply.id}").text) is is_told
        assert item.second_reason.startswith(f"说法对应：{told}。") is is_told
        assert [entry["text"] for entry in data["counterparts"]] == [told] * is_told
