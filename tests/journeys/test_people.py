"""What people do on the platform, from the first search to the mail on Monday, in a real browser."""

import re
import time
import urllib.request
from dataclasses import replace
from email.message import EmailMessage
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import expect

from backend.accounts.cookies import SESSION_COOKIE
from backend.accounts.tables import Role

MOST_BYTES_OF_FIRST_PAGE = 100_000
PUBLIC_PAGES = (
    "/", "/listings", "/method", "/help", "/contact", "/sitemap", "/accessibility", "/privacy", "/login", "/register",
)  # fmt: skip
_numbers = count(1)


def link_in(mail: EmailMessage, part: str) -> str:
    """Return the first link of the mail's text whose address has this part."""
    text = mail.get_body(("plain",)).get_content()
    return next(address for address in re.findall(r"https?://\S+", text) if part in address)


def test_a_visitor_searches_narrows_opens_and_sees_why_a_pair_fits(visitor):
    page = visitor.go("/")
    page.get_by_role("searchbox").first.fill("电池")
    page.get_by_role("searchbox").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not visitor.has_sideways_scroll()

    page = visitor.go("/listings?kind=demand&field=vehicles&region=130000")
    expect(page.get_by_role("main")).to_contain_text("共")
    page.get_by_role("main").locator("h3 a, h2 a").first.click()

    expect(page.get_by_role("heading", name="可能解决这条需求的成果")).to_be_visible()
    assert not visitor.has_sideways_scroll()


def test_the_first_page_is_light_and_asks_no_other_host(visitor):
    asked = []

    def note(request):
        asked.append(request)

    visitor.page.on("requestfinished", note)

    visitor.go("/")
    visitor.page.wait_for_load_state("networkidle")

    # Bytes as they came over the wire, heads of the answers included.
    sizes = [request.sizes() for request in asked]
    assert 0 < sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) < MOST_BYTES_OF_FIRST_PAGE
    assert len(sizes) <= 10


def test_a_member_registers_posts_and_a_moderator_publishes(visitor, another):
    number = next(_numbers) + int(time.time()) % 100_000
    email, password = f"new{number}@example.com", "长一点的密码也能用 2026"
    page = visitor.go("/register")
    page.get_by_label("邮箱").fill(email)
    page.get_by_label("密码", exact=False).first.fill(password)
    page.get_by_label("姓名").fill("新会员")
    page.get_by_label("机构名称").fill(f"唐山示范铸造厂{number}")
    page.get_by_label("机构类型").select_option("company")
    page.get_by_label("所在地区").select_option("130200")
    page.get_by_text("我已阅读隐私说明").click()
    page.get_by_role("main").get_by_role("button", name="注册账号").click()
    mail = visitor.running.mailbox.wait_for(email)

    visitor.go(urlsplit(link_in(mail, "/confirm")).path)
    page.get_by_role("button", name="确认这个邮箱").click()
    visitor.enter(email, password)
    _post_demand(visitor, number)
    title = f"电芯循环后鼓胀漏液怎么抑制，第 {number} 号"
    expect(page.get_by_role("main")).to_contain_text("待审核")

    another.sign_in(Role.MODERATOR)
    another.go("/moderation")
    another.page.get_by_role("link", name=title, exact=True).click()
    another.page.get_by_role("button", name="通过并公开").click()
    expect(another.page.get_by_role("main")).to_contain_text("审核")

    _expect_found(visitor, title)
    page.get_by_role("main").get_by_role("link", name=title, exact=True).first.click()
    expect(page.get_by_role("main")).not_to_contain_text("13800000000")
    assert visitor.running.mailbox.wait_for(email, "发布")


def _post_demand(visitor, number: int) -> None:
    """Fill the form, look at duplicates and matches, mend what is refused, hand in."""
    page = visitor.go("/listings/new/demand")
    page.get_by_label("标题").fill(f"电芯循环后鼓胀漏液怎么抑制，第 {number} 号")
    page.get_by_role("button", name="提交审核").click()
    expect(page.get_by_role("main")).to_contain_text("详细说明")
    page.get_by_label("简介").fill("软包电芯循环三百次以后鼓胀，希望找到抑制产气的办法。")
    page.locator("textarea[name=description]").fill(
        "我们生产三元软包锂电池，45 ℃ 循环三百次以后厚度增加超过 10%，拆开看是电解液分解产气。"
        "换过两家电解液，效果不稳定。"
        f"希望在不改现有产线的前提下，把厚度增加控制在 5% 以内。编号 {number}。"
    )
    page.get_by_text("合作开发", exact=True).click()
    page.get_by_label("联系电话").fill("13800000000")
    page.get_by_role("button", name="检查重复与匹配").click()
    expect(page.get_by_role("main")).to_contain_text("匹配")
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url(re.compile(r"/my/"))


def _expect_found(visitor, title: str) -> None:
    """Search until the listing is found: the worker embeds it a moment after it is published."""
    deadline = time.monotonic() + 30
    while True:
        page = visitor.go(f"/listings?q={title}")
        if page.get_by_role("main").get_by_role("link", name=title).count():
            return
        assert time.monotonic() < deadline, "the published listing is not found"
        time.sleep(0.3)


def test_a_session_that_ends_in_the_middle_of_a_form_loses_no_word(another):
    another.sign_in(Role.MEMBER)
    page = another.go("/listings/new/supply")
    title = f"写到一半会话结束的成果 {next(_numbers)}"
    page.get_by_label("标题").fill(title)
    page.context.clear_cookies(name=SESSION_COOKIE)
    page.get_by_role("button", name="保存草稿").click()

    with page.expect_popup() as opened:
        page.get_by_role("link", name="在新窗口登录").click()
    replace(another, page=opened.value).enter_here("member@example.com", another.running.passwords[Role.MEMBER])
    page.reload()

    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    another.complaints.clear()


def test_a_manager_takes_one_pair_dismisses_another_and_can_undo(visitor):
    visitor.sign_in(Role.MANAGER)
    page = visitor.go("/desk/profile")
    page.get_by_role("main").get_by_role("button", name="保存").first.click()
    page = visitor.go("/desk")
    before = page.get_by_role("main").inner_text()
    assert "要求中的" in before

    page.get_by_role("button", name="接洽", exact=True).first.click()
    expect(page.get_by_role("main")).to_contain_text("接洽")
    page = visitor.go("/desk")
    page.locator("summary", has_text="不合适").first.click()
    page.get_by_role("button", name="技术方向不符").first.click()
    expect(page.locator("body")).to_contain_text("撤销")
    page.get_by_role("button", name="撤销").first.click()

    expect(page.get_by_role("main")).to_be_visible()
    assert not visitor.has_sideways_scroll()


def test_the_manager_gets_the_weekly_mail_and_leaves_it_with_one_click(another):
    running = another.running
    running.shell("digest", "run", "--week", "2026-W48")
    mail = running.mailbox.wait_for("manager@example.com", "本周")

    html = mail.get_body(("html",)).get_content()
    text = mail.get_body(("plain",)).get_content()
    stop = re.search(r"<(https?://[^>]+)>", str(mail["List-Unsubscribe"]))[1]
    assert "为什么" in html
    assert "为什么" in text
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    another.page.goto(stop)
    still = running.shell("digest", "preview", "--week", "2026-W48", "--account", "manager@example.com")
    assert still.strip()

    request = urllib.request.Request(stop, data=b"List-Unsubscribe=One-Click")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    before = len(running.mailbox.mails)
    running.shell("digest", "run", "--week", "2026-W49")

    assert [mail for mail in running.mailbox.mails[before:] if "manager@example.com" in str(mail["To"])] == []


def test_an_administrator_finds_an_account(visitor):
    visitor.sign_in(Role.ADMINISTRATOR)
    page = visitor.page
    page.get_by_role("link", name="管理").first.click()
    expect(page.get_by_role("main")).to_contain_text("会员")
    visitor.go("/admin/accounts?q=manager@example.com")
    expect(page.get_by_role("main")).to_contain_text("示范技术经理人")
    assert not visitor.has_sideways_scroll()


def test_every_public_page_fits_a_phone_and_speaks_three_languages(visitor):
    for path in (
        "/",
        "/listings",
        "/method",
        "/help",
        "/contact",
        "/sitemap",
        "/accessibility",
        "/privacy",
        "/login",
        "/register",
    ):
        visitor.go(path)
        assert not visitor.has_sideways_scroll(), path

    visitor.go("/")
    visitor.page.get_by_role("button", name="繁體中文").first.click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-TW")
    visitor.page.get_by_role("button", name="EN", exact=True).first.click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")


def test_a_page_that_is_not_there_says_so_in_chinese(another):
    answer = another.page.goto(another.running.url + "/listings/not-an-id")

    assert answer.status == 404
    expect(another.page.get_by_role("main")).to_contain_text("没有")
    another.complaints.clear()
