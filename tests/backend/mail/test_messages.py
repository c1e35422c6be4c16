"""Mails as they are composed: safe headers, text equal to HTML, nothing loaded from elsewhere."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from mailing import compose_sample

from backend.mail.messages import LARGEST_HTML_BYTES, TEMPLATES, Message, Sender, compose, to_html

HOSTILE = [
    "甲\r\nBcc: everyone@example.com",
    "甲\nBcc: everyone@example.com",
    "甲\rX: y",
    "甲\x00乙",
    "甲\x0b乙",
    "甲\x85乙",
    "甲\u2028乙",
    "甲\u2029乙",
    "甲\ud800乙",
]
VALUES = {
    "confirm_address": {"address": "li@example.com", "link": "https://jiqiao.example.com/c/1", "hours": 24},
    "reset_password": {
        "address": "li@example.com",
        "link": "https://jiqiao.example.com/r/1",
        "minutes": 30,
        "is_registration": False,
    },
    "listing_published": {"kind": "成果", "title": "钢渣微粉", "link": "https://jiqiao.example.com/l/1"},
    "listing_returned": {
        "kind": "需求",
        "title": "钢渣微粉",
        "reason": "请补充年处理量。",
        "link": "https://jiqiao.example.com/l/1",
    },
    "test": {"sent_at": datetime(2026, 11, 23, 0, 30, tzinfo=UTC), "site": "https://jiqiao.example.com"},
}


class Reader(HTMLParser):
    """Reads a mail as a mail client does: text, links, and whatever would be loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: set[str] = set()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self._skipping = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        if tag == "a":
            self.links.add(values["href"])
        self.loaded += [values[name] for name in ("src", "background", "data") if name in values]
        if tag == "link":
            self.loaded.append(values.get("href", ""))
        if tag in {"style", "title"}:
            self._skipping = tag

    def handle_endtag(self, tag):
        if tag == self._skipping:
            self._skipping = ""

    def handle_data(self, data):
        if not self._skipping:
            self.text.append(data)


def shipped(name: str) -> Message:
    return compose(
        name,
        recipient="li@example.com",
        recipient_name="李明",
        category="sample",
        sender=Sender("示例单位", "010-00000000"),
        **VALUES[name],
    )


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_text_can_add_a_header(text):
    with pytest.raises(ValueError, match="header may not hold"):
        compose_sample(title=text)
    with pytest.raises(ValueError, match="header may not hold"):
        compose_sample(recipient_name=text)
    with pytest.raises(ValueError, match="header may not hold"):
        compose_sample(recipient=f"{text}@example.com")


@pytest.mark.parametrize(
    "headers",
    [
        {"List-ID": "<x>\r\nBcc: everyone@example.com"},
        {"List-ID\r\nBcc": "everyone@example.com"},
        {"Bcc": "everyone@example.com"},
        {"from": "someone@example.com"},
        {"Content-Type": "text/html"},
        {"List-ID": "周报"},
        {"": "x"},
    ],
    ids=ascii,
)
def test_headers_beside_the_usual_ones_cannot_replace_those_or_add_more(headers):
    with pytest.raises(ValueError, match="header"):
        compose_sample(headers=headers)


@pytest.mark.parametrize("address", ["", "li", "a b@example.com", "a@b@c", "<a@example.com>", "a@b, c@d", '"a"@b'])
def test_what_is_no_single_address_is_refused(address):
    with pytest.raises(ValueError, match="not an address"):
        compose_sample(recipient=address)


def test_an_endless_subject_is_refused():
    with pytest.raises(ValueError, match="1 to 300"):
        compose_sample(kind="需求" * 200)


def test_a_long_title_is_shortened_in_the_subject_only():
    message = compose_sample(title="钢" * 120)

    assert message.subject == "您的需求需要修改：" + "钢" * 59 + "…"
    assert "钢" * 120 in message.text


def test_markup_in_values_is_shown_and_not_obeyed():
    message = compose_sample(title='<b>甲</b> & "乙"', reason="<script>alert(1)</script>", recipient_name="<i>李</i>")

    assert "script" not in Reader(message.html).tags
    assert "<script>alert(1)</script>" in "".join(Reader(message.html).text)
    assert '<b>甲</b> & "乙"' in message.subject
    assert "<script>alert(1)</script>" in message.text


def test_a_control_character_in_a_text_does_not_stop_the_mail():
    message = compose_sample(reason="甲\x00乙\x08丙")

    assert "甲\ufffd乙\ufffd丙" in message.html


def test_mjml_in_values_cannot_change_the_mail():
    message = compose_sample(reason='</mj-text><mj-image src="https://evil.example.com/pixel.png" />')

    assert Reader(message.html).loaded == []


def test_a_value_the_template_needs_cannot_be_forgotten():
    with pytest.raises(UndefinedError, match="is undefined"):
        compose(
            "listing_returned",
            recipient="a@example.com",
            recipient_name="",
            category="x",
            kind="需求",
            title="t",
            link="l",
        )


@pytest.mark.parametrize("name", VALUES)
def test_a_shipped_mail_is_small_speaks_chinese_and_loads_nothing(name):
    message = shipped(name)

    assert '<html lang="zh-CN"' in message.html
    assert Reader(message.html).loaded == []
    assert not re.search(r"@import|url\(|<link|fonts\.g", message.html)
    assert len(message.html.encode()) < LARGEST_HTML_BYTES / 3


@pytest.mark.parametrize("name", VALUES)
def test_the_text_of_a_shipped_mail_has_the_links_and_the_people_of_the_html(name):
    message = shipped(name)

    html = Reader(message.html)
    assert all(link in message.text for link in html.links)
    assert "李明，您好：" in message.text
    for fact in ("示例单位", "010-00000000", "您收到这封邮件，是因为", "不含跟踪图片"):
        assert fact in message.text
        assert fact in "".join(html.text)


@pytest.mark.parametrize("name", VALUES)
def test_every_sentence_of_the_text_is_in_the_html(name):
    """Fails when one of the two bodies is changed and the other forgotten."""
    message = shipped(name)

    said = re.sub(r"\s", "", "".join(Reader(message.html).text))
    for sentence in re.split(r"[。！？：\n]", message.text.split("您好：", 1)[1]):
        wanted = re.sub(r"[\s>─]", "", sentence)
        if wanted and not wanted.startswith("http") and "下面的地址" not in wanted:
            assert wanted in said or wanted.startswith(("查看这条", "修改这条", "平台地址"))


def test_every_mail_folder_is_covered_here_or_owned_by_a_later_test():
    """Names the folders that ship; a new one needs values above."""
    folders = {path.parent.name for path in Path(TEMPLATES / "emails").glob("*/subject.txt")}

    assert set(VALUES) <= folders


def test_a_mail_that_names_no_font_loads_none():
    html = to_html(
        "<mjml><mj-body><mj-section><mj-column><mj-text>甲</mj-text></mj-column></mj-section></mj-body></mjml>"
    )

    assert Reader(html).loaded == []
    assert "@import" not in html


def test_html_beyond_the_limit_is_refused():
    text = "<mj-text>" + "很长" * 12_000 + "</mj-text>"

    with pytest.raises(ValueError, match="more than 60000"):
        to_html(f"<mjml><mj-body><mj-section><mj-column>{text}</mj-column></mj-section></mj-body></mjml>")


def test_a_name_that_is_not_known_is_left_out_of_the_greeting():
    assert "\n您好：\n" in compose_sample(recipient_name="").text
