"""What a digest looks like: subject, headers, two parts with the same facts, and not too large."""

import html as html_module
import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from factories import MONDAY
from recommending import TOPICS, make_manager, make_pair, recommend
from starlette.routing import Match

from backend.digests import service
from backend.digests.finds import MOST_FOUND
from backend.digests.items import Content, Item, Notice, shortened
from backend.digests.message import make_subject, write_fitting, write_message
from backend.digests.notices import MOST_NOTICES
from backend.digests.week import Week
from backend.mail.messages import LARGEST_HTML_BYTES
from backend.matching.bridges import Bank

WEEK = Week(2026, 48)
TAG = re.compile(r"<[^>]+>")


def make_item(number: int = 1, **changes) -> Item:
    bank = {"organisation": f"单位{number}", "province": "120000", "place": "天津滨海新区", "summary": ""}
    values = {
        "supply_id": uuid4(),
        "demand_id": uuid4(),
        "fingerprint": "f" * 64,
        "demand": Bank(title=f"需求标题{number}", href="http://x/1", facts=("预算 120 万元",), **bank),
        "supply": Bank(title=f"成果标题{number}", href="http://x/2", facts=("通过中试",), **bank),
        "level": "fair",
        "met": 2,
        "total": 3,
        "reason": f"第 {number} 条理由。不满足：预算。",
        "second_reason": "两地决定第八条：双方同属优先领域",
        "why": "您关注的地区：天津",
        "deadline": None,
        "topic": f"主题{number}",
        "href": f"http://testserver/desk/recommendations/{number}",
    }
    return Item(**{**values, **changes})


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("topic", ["膜", "钢渣微粉", "车规级实时操作系统内核", "一" * 120])
def test_a_subject_names_the_count_first_and_stays_within_thirty_characters(count, topic):
    subject = make_subject(Content(tuple(make_item(number, topic=f"{topic}{number}") for number in range(count))))

    assert subject.startswith(f"[技桥] 本周 {count} 条推荐：")
    assert len(subject) <= 30
    assert topic[:1] in subject


def test_a_subject_says_that_there_is_more():
    items = [make_item(number, topic=topic) for number, topic in enumerate(("钢渣微粉", "电渗析浓缩高盐废水", "脑电"))]

    assert make_subject(Content(tuple(items))) == "[技桥] 本周 3 条推荐：钢渣微粉、电渗析浓缩高盐废水、…"
    assert make_subject(Content((make_item(1, topic="钢渣微粉"),))) == "[技桥] 本周 1 条推荐：钢渣微粉"


def test_a_shortened_text_shows_its_cut_end():
    assert shortened("一二三四五", 5) == "一二三四五"
    assert shortened("一二三、四五六", 5) == "一二三…"


def message_of(session, platform, count: int):
    manager = make_manager(session)
    for topic in TOPICS[:count]:
        make_pair(session, platform, topic)
    recommend(session, platform)
    message = service.preview(session, manager, WEEK, platform=platform)
    return manager, message


def test_the_headers_let_a_mail_program_unsubscribe_with_one_click(session, platform):
    _, message = message_of(session, platform, 1)

    assert re.fullmatch(r"<http://testserver/digest/unsubscribe/[\w-]+>", message.headers["List-Unsubscribe"])
    assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.headers["List-ID"] == "<digest.testserver>"
    assert message.headers["Feedback-ID"] == "2026-W48:digest:jiqiao"


def visible(html: str) -> str:
    body = html[html.index("<body") :]
    return re.sub(r"\s+", "", html_module.unescape(TAG.sub("", body)))


def test_text_and_html_say_the_same(session, platform):
    _, message = message_of(session, platform, 3)

    facts = [line.strip() for line in message.text.splitlines() if line.strip() and not line.startswith(("─", "http"))]
    shown = visible(message.html)
    for fact in facts:
        for part in re.split(r"[│【】]|[1-7] ─+| · |理由：|：http\S*|：$", fact):
            plain = re.sub(r"\s+", "", part)
            assert plain in shown, fact
    for address in re.findall(r"https?://\S+", message.text):
        assert address in message.html


def test_every_pair_has_level_titles_organisations_reasons_and_its_own_link(session, platform):
    item = make_item(1)
    manager = make_manager(session)

    message = write_message(manager, Content((item,)), week=WEEK, token="t" * 32, settings=platform.settings)

    for part in (message.text, visible(message.html)):
        for fact in ("较强", item.demand.title, item.supply.title, "单位1", item.second_reason, item.why):
            assert re.sub(r"\s+", "", fact) in re.sub(r"\s+", "", part)
        assert re.sub(r"\s+", "", item.reason) in re.sub(r"\s+", "", part)
    assert item.href in message.text
    assert item.href in message.html


def test_the_links_of_a_digest_lead_to_pages_that_exist(session, platform, client):
    _, message = message_of(session, platform, 1)

    for address in re.findall(r"http://testserver(/\S*)", message.text):
        scope = {"type": "http", "method": "GET", "path": address, "headers": []}
        assert any(route.matches(scope)[0] is Match.FULL for route in client.app.routes), address


def test_seven_pairs_with_the_longest_texts_fit_and_with_all_else_at_its_longest_the_weakest_wait(session, platform):
    href = "http://testserver/listings/" + "a" * 36
    longest = {
        "demand": Bank("求" * 60, href, "某" * 40, "110000", "北" * 20, ("预" * 20,) * 3, ""),
        "supply": Bank("供" * 60, href, "某" * 40, "130000", "河" * 20, ("报" * 20,) * 3, ""),
        "reason": "理" * 160,
        "second_reason": "由" * 120,
        "why": "因" * 120,
        "deadline": MONDAY.date(),
        "href": "http://testserver/desk/recommendations/" + "a" * 36,
        "recommendation_id": uuid4(),
    }  # fmt: skip
    items = [make_item(number, **longest) for number in range(7)]

    def notices(kind: str, count: int, **found) -> tuple[Notice, ...]:
        text = "您接洽的需求" + "变" * 60
        return tuple(Notice(kind, kind, uuid4(), "题" * 60, text, href, **found) for _ in range(count))

    search = {"search": "搜" * 40, "search_href": "http://testserver/listings?q=" + "%E9" * 900}
    found = tuple(one for _ in range(MOST_FOUND // 2) for one in notices("found", 2, search_id=uuid4(), **search))
    alone, all_pairs = write_fitting(
        make_manager(session), Content(tuple(items)), week=WEEK, token="t" * 32, settings=platform.settings
    )
    assert len(alone.html.encode()) < LARGEST_HTML_BYTES
    assert all_pairs.items == tuple(items)
    content = Content(tuple(items), notices("expiring", MOST_NOTICES), notices("moved", MOST_NOTICES), found)
    message, kept = write_fitting(make_manager(session), content, week=WEEK, token="t" * 32, settings=platform.settings)

    assert len(message.html.encode()) < LARGEST_HTML_BYTES
    assert kept.items == content.items[: len(kept.items)]
    assert kept.notices == content.notices
    assert message.subject.startswith(f"[技桥] 本周 {len(kept.items)} 条推荐")


def test_a_mail_shortens_what_is_too_long_for_it(session, platform):
    manager = make_manager(session)
    make_pair(session, platform, title="高盐废水电渗析浓缩" * 13)
    recommend(session, platform)

    message = service.preview(session, manager, WEEK, platform=platform)

    assert "高盐废水电渗析浓缩" * 7 not in message.text
    assert "高盐废水电渗析浓缩" * 6 in message.text


def test_a_usual_digest_of_seven_pairs_is_far_below_the_limit(session, platform):
    _, message = message_of(session, platform, 7)

    assert message.subject.startswith("[技桥] 本周 7 条推荐：")
    assert len(message.html.encode()) < LARGEST_HTML_BYTES * 0.9


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def elements(html: str) -> list[tuple[str, list[str]]]:
    parser = Elements()
    parser.feed(html)
    return parser.found


def test_hostile_names_and_titles_neither_break_the_headers_nor_become_markup(session, platform):
    manager = make_manager(session)
    manager.display_name = "李\u2028明<script>"
    hostile = "<script>alert(1)</script>\u2028Bcc: x@example.com"
    item = make_item(1, topic='" onload="', reason=hostile, why=hostile)

    message = write_message(manager, Content((item,)), week=WEEK, token="t" * 32, settings=platform.settings)

    assert "\u2028" not in message.subject + message.recipient_name
    assert "script" not in {tag for tag, _ in elements(message.html)}
    assert not [name for _, names in elements(message.html) for name in names if name.startswith("on")]
