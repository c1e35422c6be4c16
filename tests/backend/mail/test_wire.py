"""The bytes of mails: what RFC 5322 and RFC 2047 ask, for any text that people write."""

import re
from base64 import b64decode
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.policy import SMTP
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.mail.tables import OutboxMessage
from backend.mail.wire import encode_words, format_address, render_bytes

WORD = re.compile(rb"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=")
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=300)
HAN = st.text("技桥京津冀𠮷𬍛龥〇 aZ0=?_", min_size=1, max_size=300)


def decoded(encoded: str) -> str:
    parts = decode_header(encoded)
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii") for part, charset in parts)


def make_mail(**changes) -> OutboxMessage:
    values = {
        "id": UUID(int=7),
        "key": "k",
        "message_id": "abc@jiqiao.example.com",
        "category": "digest",
        "recipient": "li@example.com",
        "recipient_name": "李明",
        "subject": "主题",
        "body_text": "正文\n",
        "body_html": "<p>正文</p>",
        "headers": {},
        "posted_at": datetime(2026, 11, 23, 0, 30, tzinfo=UTC),
    }
    return OutboxMessage(**{**values, **changes})


def rendered(**changes) -> bytes:
    return render_bytes(make_mail(**changes), mail_from="技桥 <notice@jiqiao.example.com>")


@given(st.one_of(TEXTS, HAN))
@example("a" * 70 + " 技")
@example("=?utf-8?b?5oqA?=")
@example(" 前后有空格 ")
def test_encoded_words_are_short_and_whole_and_say_the_same(text):
    encoded = encode_words(text, start=len("Subject: "))

    words = WORD.findall(encoded.encode())
    assert decoded(encoded) == text
    for whole in re.findall(r"=\?utf-8\?b\?\S*\?=", encoded):
        assert len(whole) <= 75
    if words:
        assert "".join(b64decode(word).decode() for word in words) == text


@given(st.one_of(TEXTS, HAN))
@example('甲"乙\\丙, <x@y>')
@example("Li, Ming <evil@example.com>")
def test_a_display_name_stays_a_display_name(name):
    mail = message_from_bytes(rendered(recipient_name=name), policy=SMTP)

    [address] = mail["To"].addresses
    assert address.addr_spec == "li@example.com"
    assert len(mail.get_all("To")) == 1


@pytest.mark.parametrize("name", ["李明", "Li Ming", "Li, Ming", 'a"b\\c', "李明" * 30, "=?utf-8?b?5oqA?="])
def test_a_display_name_is_read_as_it_was_written(name):
    line = rendered(recipient_name=name).split(b"\r\nTo: ", 1)[1].split(b"\r\nSubject", 1)[0].decode()

    phrase, _, address = line.rpartition("\r\n ")
    unquoted = re.sub(r"\\(.)", r"\1", phrase[1:-1]) if phrase.startswith('"') else phrase
    assert decoded(unquoted) == name
    assert address == "<li@example.com>"


@given(st.one_of(TEXTS, HAN))
def test_no_header_line_is_longer_than_78_octets_and_none_is_added(subject):
    head = rendered(subject=subject, recipient_name=subject[:60]).split(b"\r\n\r\n", 1)[0]

    lines = head.split(b"\r\n")
    names = [line.split(b":", 1)[0] for line in lines if not line.startswith(b" ")]
    assert all(len(line) <= 78 for line in lines)
    assert names == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type",
    ]  # fmt: skip


def test_a_long_unsubscribe_address_stays_in_one_piece():
    address = "https://jiqiao.example.com/digests/unsubscribe/" + "aB3_-" * 60
    value = f"<{address}>, <mailto:unsubscribe@jiqiao.example.com?subject=stop>"

    mail = message_from_bytes(rendered(headers={"List-Unsubscribe": value}), policy=SMTP)

    assert re.sub(r"\s+", " ", str(mail["List-Unsubscribe"])) == value


def test_a_header_line_beyond_the_limit_of_smtp_is_refused():
    with pytest.raises(ValueError, match="not a header line"):
        rendered(headers={"List-Unsubscribe": "<https://jiqiao.example.com/" + "a" * 1000 + ">"})


def test_a_line_break_in_a_header_is_refused_even_if_it_came_from_the_database():
    with pytest.raises(ValueError, match="not a header line"):
        rendered(headers={"List-ID": "<x>\nBcc: everyone@example.com"})


def test_the_same_mail_gives_the_same_bytes():
    assert rendered() == rendered()


def test_the_date_is_when_the_mail_was_written_in_local_time():
    assert b"\r\nDate: Mon, 23 Nov 2026 08:30:00 +0800\r\n" in rendered()


def test_every_line_ends_as_smtp_asks_and_fits():
    content = rendered(body_text="长" * 5000 + "\n.\n", body_html="<p>" + "长" * 5000 + "</p>")

    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


def test_an_address_without_a_name_stands_alone():
    assert format_address("", "li@example.com", start=4) == "li@example.com"
