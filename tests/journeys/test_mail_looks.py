"""A digest in a real browser: on a phone, in the dark, inverted by force, without styles, and always readable."""

import re
from uuid import uuid4

import pytest
from factories import MONDAY
from playwright.sync_api import Browser, Page

from backend.accounts.tables import Account, Role
from backend.digests.items import Content, Item, Notice
from backend.digests.message import write_message
from backend.digests.week import Week
from backend.matching.bridges import Bank
from backend.settings import Settings

CONTRAST = """(inverted) => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const flip = c => inverted ? c.slice(0, 3).map(v => 255 - v) : c.slice(0, 3);
  const curve = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => curve(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
  const worst = { ratio: 99, text: '' };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), element = walk.currentNode.parentElement;
    if (!text || !element.getClientRects().length || getComputedStyle(element).opacity === '0') continue;
    if (element.getBoundingClientRect().height <= 1) continue;
    const a = light(flip(parse(getComputedStyle(element).color))), b = light(flip(behind(element)));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) { worst.ratio = ratio; worst.text = text.slice(0, 40); }
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def html() -> str:
    def bank(kind: str) -> Bank:
        title = f"{kind}标题很长" * 12
        return Bank(
            title[:60], "https://x.example.com/1", "某某研究院", "110000", "北京海淀区", ("通过中试", "80 万元"), ""
        )

    items = tuple(
        Item(
            supply_id=uuid4(), demand_id=uuid4(), fingerprint="f", demand=bank("需求"), supply=bank("成果"),
            level="strong", met=2, total=3, reason="都涉及电渗析。不满足：预算。", second_reason="还需询问：交货期",
            why="您关注的地区：天津", deadline=MONDAY.date(), topic="膜", href="https://x.example.com/2",
            recommendation_id=uuid4(), is_changed=True,
        )
        for _ in range(7)
    )  # fmt: skip
    notice = Notice("k", "expiring", uuid4(), "一条快到期的需求", "需求，12 月 4 日截止", "https://x.example.com/3")
    account = Account(
        email="a@example.com", email_key="a@example.com", password_hash="!", display_name="李明", role=Role.MANAGER,
        created_at=MONDAY,
    )  # fmt: skip
    settings = Settings(_env_file=None, base_url="https://x.example.com", secret_key="s" * 40)
    message = write_message(account, Content(items, (notice,)), week=Week(2026, 48), token="t" * 32, settings=settings)
    return message.html


def open_mail(browser: Browser, html: str, width: int, **options: str) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 800}, **options).new_page()
    page.set_content(html)
    return page


@pytest.mark.parametrize("width", [320, 360, 640, 1280])
def test_a_digest_never_scrolls_sideways(chromium, html, width):
    page = open_mail(chromium, html, width)

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("inverted", [False, True], ids=["as it is", "inverted"])
def test_every_word_can_be_read_in_light_dark_and_inverted(chromium, html, scheme, inverted):
    worst = open_mail(chromium, html, 640, color_scheme=scheme).evaluate(CONTRAST, inverted)

    assert worst["ratio"] >= 4.5, worst


def test_without_styles_the_words_stand_in_their_order(chromium, html):
    bare = re.sub(r"<style.*?</style>|\sstyle=\"[^\"]*\"|\sclass=\"[^\"]*\"", "", html, flags=re.DOTALL)
    words = open_mail(chromium, bare, 640).inner_text("body").partition("您好：")[2]

    facts = ("本周 7 条推荐", "需求标题", "成果标题", "都涉及电渗析", "为什么推荐给您", "直接答复")
    order = [words.index(fact) for fact in facts]
    assert order == sorted(order)
    assert "两周内截止或到期" in words


def test_a_digest_asks_for_nothing_from_anywhere_and_says_so(chromium, html):
    asked: list[str] = []
    page = chromium.new_context().new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html)
    page.wait_for_load_state("networkidle")

    assert asked == []
    assert "<img" not in html
    assert "这封邮件不含跟踪图片" in page.inner_text("body")


def test_every_button_is_large_enough_for_a_thumb(chromium, html):
    page = open_mail(chromium, html, 320)

    heights = page.eval_on_selector_all(".b a", "found => found.map(e => e.getBoundingClientRect().height)")
    assert len(heights) == 8
    assert min(heights) >= 44
