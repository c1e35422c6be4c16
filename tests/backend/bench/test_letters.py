"""The strict eye of the bench sees every fault that is planted, and the mails of the platform have none."""

import pytest
from factories import MONDAY

from backend.bench.letters import find_faults, run_letters, verify_dkim
from backend.bench.rsa import make_key
from backend.mail.signing import Signer
from backend.mail.tables import OutboxMessage
from backend.mail.wire import render_bytes

FROM = "技桥 <notice@jiqiao.example.com>"
HEADERS = {
    "List-Unsubscribe": "<https://jiqiao.example.com/digest/unsubscribe/x>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-ID": "<digest.jiqiao.example.com>",
    "Feedback-ID": "2026-W48:digest:jiqiao",
}


@pytest.fixture(scope="module")
def pair():
    return make_key(1024)


@pytest.fixture(scope="module")
def signer(pair):
    return Signer("jiqiao.example.com", "bench", pair.private_pem())


def make_message(**changes) -> OutboxMessage:
    values = {
        "key": "k", "message_id": "a" * 40, "category": "digest",
        "recipient": "li@example.com", "recipient_name": "李明",
        "subject": "[技桥] 本周 3 条推荐：钢渣微粉、电渗析、…", "body_text": "正文\n", "body_html": "<p>正文</p>",
        "headers": HEADERS, "posted_at": MONDAY, "queued_at": MONDAY,
    }  # fmt: skip
    return OutboxMessage(**{**values, **changes})


def test_a_good_mail_has_no_fault(signer, pair):
    assert list(find_faults(make_message(), signer, pair)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"headers": {**HEADERS, "X-Other": "1"}}, "headers that nobody meant"),
        ({"headers": {name: HEADERS[name] for name in HEADERS if name != "List-ID"}}, "List-ID is there 0 times"),
        ({"headers": {**HEADERS, "List-Unsubscribe": "<http://x.example.com/>"}}, "no https address"),
        ({"headers": {**HEADERS, "List-Unsubscribe-Post": "yes"}}, "not one-click"),
        ({"message_id": "a b"}, "Message-ID is malformed"),
    ],
)
def test_a_planted_fault_is_found(signer, pair, changes, fault):
    assert any(fault in found for found in find_faults(make_message(**changes), signer, pair))


@pytest.mark.parametrize(
    ("genuine", "forged"),
    [
        (b"unsubscribe/x>", b"unsubscribe/y>"),
        (b"=One-Click", b"=Two-Click"),
        (b"Subject: ", b"Subject: Re: "),
        (b"To: ", b"To: x"),
        (b"5q2j", b"5q2k"),
        (b"bh=", b"bh=A"),
        (b"c=relaxed/relaxed", b"c=simple/simple"),
    ],
)
def test_the_verification_by_hand_refuses_every_changed_octet(signer, pair, genuine, forged):
    raw = signer.sign(render_bytes(make_message(), mail_from=FROM))

    assert verify_dkim(raw, pair)
    assert genuine in raw
    assert not verify_dkim(raw.replace(genuine, forged, 1), pair)


def test_a_second_sender_in_front_of_the_signed_one_is_refused(signer, pair):
    raw = signer.sign(render_bytes(make_message(), mail_from=FROM))

    assert not verify_dkim(raw.replace(b"From: ", b"From: evil@example.com\r\nFrom: ", 1), pair)


def test_the_key_of_somebody_else_verifies_nothing(signer, pair):
    raw = signer.sign(render_bytes(make_message(), mail_from=FROM))

    assert not verify_dkim(raw, make_key(1024))
    assert not verify_dkim(render_bytes(make_message(), mail_from=FROM), pair)


def test_real_digests_and_hostile_names_pass():
    letters = run_letters(digests=8, hostile=40, seed=7)

    assert letters.is_clean, letters.first_fault
    assert (letters.validated, letters.invalid, letters.injected) == (8, 0, 0)
