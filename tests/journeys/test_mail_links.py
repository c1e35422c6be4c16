"""The links of a digest in a real browser that runs scripts, as a mail scanner has: looking decides nothing."""

import re

from playwright.sync_api import expect

from backend.accounts.tables import Role

WEEK = "2026-W46"


def waiting(visitor) -> str:
    return visitor.go("/desk").get_by_role("link", name=re.compile("^待处理")).inner_text()


def test_a_scanner_that_opens_every_link_decides_nothing_and_the_button_does(another):
    running = another.running
    running.shell("digest", "run", "--week", WEEK)
    mail = running.mailbox.wait_for("manager@example.com", "本周")
    links = sorted(set(re.findall(r"https?://\S+", mail.get_body(("plain",)).get_content())))
    decisive = [link for link in links if "/digest/reply/" in link or "/digest/unsubscribe/" in link]
    another.sign_in(Role.MANAGER)
    before = waiting(another)

    for link in decisive:
        answer = another.page.goto(link)
        another.page.wait_for_load_state("networkidle")
        assert answer.status == 200
        assert not another.has_sideways_scroll()
    after = waiting(another)

    assert len(decisive) == 22
    assert after == before
    expect(another.go("/digest").get_by_label("每周一封")).to_be_checked()

    another.page.goto(next(link for link in decisive if link.endswith("/later")))
    another.page.get_by_text("两周后").click()
    another.page.get_by_role("button", name="推迟这一对").click()
    expect(another.page.get_by_text("已推迟")).to_be_visible()
    assert waiting(another) != before
