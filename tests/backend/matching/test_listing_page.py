"""The page of a listing, for everybody who may come along."""

from uuid import uuid4

import pytest
from conftest import CANARY
from factories import make_account

from backend.accounts.tables import Role
from backend.listings.forms import Indicator
from backend.listings.repository import load_bundles
from backend.listings.tables import Kind, State, Visibility
from backend.matching.bridges import bridge_of, reason_of
from backend.matching.disclosure import HIDDEN_FIGURE, HIDDEN_VALUE
from backend.matching.explanation import Explanation, pair_text
from backend.matching.highlighting import unmarked
from backend.matching.pair_page import judge_pair
from backend.matching.requirements import Requirement
from models.passages import Evidence

SUPPLY = {
    "title": "弹性爪形头皮干电极与三十二通道有源前端",
    "summary": "导电硅胶爪穿过头发直接接触头皮，接触阻抗低，戴上即可采集脑电。",
    "description": "爪尖用掺碳纳米管的硅胶模压成形。坐稳两分钟后接触阻抗 32 kΩ，脑电采集无需导电膏。",
    "keywords": ["干电极", "脑电采集", "接触阻抗"],
    "fields": ["brain"],
    "indicators": [Indicator(name="接触阻抗", op="=", value=32, unit="kΩ")],
    "region_code": "120104",
}
DEMAND = {
    "title": "求免导电膏的头皮脑电干电极",
    "summary": "康复训练中每天采集脑电，湿电极太麻烦，要干电极。",
    "description": "患者头发长，要求干电极穿过头发采集脑电。接触阻抗不高于 50 kΩ，可反复佩戴。",
    "keywords": ["干电极", "脑电采集", "接触阻抗"],
    "fields": ["brain"],
    "indicators": [Indicator(name="接触阻抗", op="<=", value=50, unit="kΩ")],
    "region_code": "110108",
    "price_low": 1,
    "price_high": 20,
}
SECRET = "坐稳两分钟后接触阻抗 32 kΩ"


@pytest.fixture
def pair(session, publish):
    """Give a demand and a supply that speak of the same thing, too dear for the budget."""
    return publish(**DEMAND, kind=Kind.DEMAND), publish(**SUPPLY)


def bundles(session, *some):
    found = load_bundles(session, [listing.id for listing in some])
    return [found[listing.id] for listing in some]


def test_a_listing_shows_its_match_with_reasons_and_what_is_missed(client, pair):
    demand, supply = pair

    for own, other in ((demand, supply), (supply, demand)):
        text = client.get(f"/listings/{own.id}").text

        matches = text.split('id="matches"')[1]
        assert other.title in matches
        assert "满足 3 项要求中的 2 项" in matches
        assert "不满足：预算 1–20 万元（成果报价 80–200 万元）" in matches
        assert f"/pairs/{demand.id}/{supply.id}?rank=1" in matches
        assert "两地决定第八条" in matches


def test_every_quote_is_a_part_of_the_listing_it_comes_from(session, platform, pair):
    demand, supply = bundles(session, *pair)

    explanation = judge_pair(demand, supply, platform=platform).explanation

    written = {side.id: f"{side.listing.title}\n{pair_text(side).body}" for side in (demand, supply)}
    assert explanation.evidence
    for evidence in explanation.evidence:
        assert evidence.demand_quote in written[demand.id]
        assert evidence.supply_quote in written[supply.id]
    for requirement in explanation.requirements:
        assert requirement.quote in written[supply.id]


def test_the_reason_quotes_both_sides_and_names_what_is_missed():
    quote = "坐稳两分钟后接触阻抗 32 kΩ。"
    explanation = Explanation(
        requirements=(Requirement("missed", "预算 20 万元", "成果报价 80 万元"), Requirement("missed", "别的")),
        evidence=(Evidence("要求干电极", quote, 1.0),),
        terms=("接触阻抗",),
        grounds=(),
    )

    reason = reason_of(explanation)

    assert "成果写到“坐稳两分钟后<mark>接触阻抗</mark> 32 kΩ”。" in reason
    assert unmarked(reason).endswith("不满足：预算 20 万元（成果报价 80 万元）等 2 项。")


def test_nothing_suitable_is_said_with_what_is_nearest_and_ways_on(client, publish):
    lonely = publish("完全无人应答的独特陶瓷釉料配方", kind=Kind.DEMAND, keywords=["釉料"])

    text = client.get(f"/listings/{lonely.id}").text

    assert "没有合适的成果" in text
    assert text.split('class="empty"')[1].split("</ul>")[0].count("href=") >= 3


def test_the_owner_of_a_listing_without_matches_reads_what_would_help(client, session, publish):
    owner = make_account(session)
    lonely = publish("无人应答的釉料配方", kind=Kind.DEMAND, keywords=[], owner=owner)
    client.sign_in(owner)

    text = client.get(f"/listings/{lonely.id}").text

    assert "写上技术指标的名称、数值和单位" in text
    assert f"/listings/{lonely.id}" in text
    assert "管理这一条" in text


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.EXPIRED, State.CLOSED, State.MATCHED])
def test_what_was_public_once_keeps_title_and_state_and_nothing_else(client, publish, state):
    gone = publish(
        "曾经公开的脑电干电极", state=state, encoder=None, summary="这段简介不再公开，十个字。", description="秘方" * 20
    )
    other = publish(**SUPPLY)

    answer = client.get(f"/listings/{gone.id}")

    assert answer.status_code == 200
    assert "曾经公开的脑电干电极" in answer.text
    assert state.label in answer.text
    assert "不再公开。" in answer.text
    assert "秘方" not in answer.text
    assert "这段简介" not in answer.text
    assert "测试研究院" not in answer.text.split("可以看看这些")[0]
    assert other.title in answer.text


@pytest.mark.parametrize("state", [State.DRAFT, State.PENDING, State.RETURNED])
def test_what_was_never_public_is_not_there_for_others(client, session, publish, state):
    hidden = publish("还没有公开的脑电技术", state=state, encoder=None)
    for reader in (None, make_account(session), make_account(session, role=Role.MANAGER)):
        if reader:
            client.sign_in(reader)

        answer = client.get(f"/listings/{hidden.id}")

        assert answer.status_code == 404
        assert "还没有公开的脑电技术" not in answer.text


def test_the_owner_sees_a_draft_and_a_moderator_only_what_was_handed_in(client, session, publish):
    owner = make_account(session)
    draft = publish("自己的草稿脑电技术", state=State.DRAFT, encoder=None, owner=owner)
    pending = publish("自己的待审脑电技术", state=State.PENDING, encoder=None, owner=owner)

    client.sign_in(owner)
    assert "这是草稿" in client.get(f"/listings/{draft.id}").text
    assert "正在审核" in client.get(f"/listings/{pending.id}").text

    client.sign_in(make_account(session, role=Role.MODERATOR))
    assert client.get(f"/listings/{draft.id}").status_code == 404
    assert client.get(f"/listings/{pending.id}").status_code == 200


@pytest.mark.parametrize("address", [f"/listings/{uuid4()}", "/listings/not-a-number", "/listings/%00"])
def test_what_never_was_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_a_description_for_managers_stays_with_them_in_every_reason(client, session, publish):
    demand = publish(**DEMAND, kind=Kind.DEMAND)
    supply = publish(**SUPPLY, visibility=Visibility.MANAGERS)
    addresses = (f"/listings/{demand.id}", f"/listings/{supply.id}", f"/pairs/{demand.id}/{supply.id}")

    for address in addresses:
        text = client.get(address).text
        assert SECRET not in text
        assert "达到 32 kΩ" not in text
        assert HIDDEN_VALUE in text
        assert "满足 3 项要求中的 2 项" in text

    client.sign_in(make_account(session, role=Role.MANAGER))
    for address in addresses[:1] + addresses[2:]:
        assert "达到 32 kΩ" in client.get(address).text


def test_figures_of_a_hidden_demand_are_counted_but_not_told(client, publish):
    demand = publish(**DEMAND, kind=Kind.DEMAND, visibility=Visibility.MANAGERS)
    supply = publish(**SUPPLY)

    text = client.get(f"/pairs/{demand.id}/{supply.id}").text

    assert HIDDEN_FIGURE in text
    assert "50 kΩ" not in text


def test_a_bridge_names_the_side_whose_page_it_stands_on(session, platform, pair):
    demand, supply = bundles(session, *pair)

    bridge = bridge_of(
        judge_pair(demand, supply, platform=platform), catalogue=platform.catalogue, reader=None, here=Kind.SUPPLY
    )

    assert bridge.here == "supply"
    assert bridge.demand.facts == ("预算 1–20 万元",)
    assert bridge.plain_reason == unmarked(bridge.reason)
    assert (bridge.met, bridge.total) == (2, 3)


def test_similar_listings_are_of_the_same_kind(client, publish, pair):
    demand, supply = pair
    publish(**{**SUPPLY, "title": "另一种爪形头皮干电极有源前端"})

    similar = client.get(f"/listings/{supply.id}").text.split('id="similar"')[1]

    assert "另一种爪形头皮干电极" in similar
    assert demand.title not in similar


def test_contact_details_are_on_no_page_and_in_no_file(client, session, pair):
    demand, supply = pair
    addresses = (
        "/",
        "/listings",
        "/listings?q=脑电",
        f"/listings/{demand.id}",
        f"/listings/{supply.id}",
        f"/pairs/{demand.id}/{supply.id}",
        "/list.csv",
        "/list.json",
        "/sitemap",
    )

    for reader in (None, make_account(session), make_account(session, role=Role.MANAGER)):
        if reader:
            client.sign_in(reader)
        for address in addresses:
            text = client.get(address).text
            assert not [secret for secret in CANARY.values() if secret in text], address
