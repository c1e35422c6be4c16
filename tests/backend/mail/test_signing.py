import dkim
import pytest
from mailing import compose_sample
from relays import running_relay
from signing_keys import DNS_RECORD, PRIVATE_KEY

from backend.mail.mailer import build_mailer
from backend.mail.signing import Signer, build_signer

SIGNER = Signer("jiqiao.example.com", "post", PRIVATE_KEY)
UNSUBSCRIBE = {
    "List-ID": "<digest.jiqiao.example.com>",
    "List-Unsubscribe": "<https://jiqiao.example.com/digests/unsubscribe/abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def is_signed(content: bytes) -> bool:
    def look_up(name: bytes, **_options: int) -> bytes:
        assert name == b"post._domainkey.jiqiao.example.com."
        return DNS_RECORD

    return bool(dkim.verify(content, dnsfunc=look_up))


@pytest.fixture
def signing_office(office, tmp_path):
    key = tmp_path / "dkim.pem"
    key.write_bytes(PRIVATE_KEY)
    office.settings.dkim_domain = "jiqiao.example.com"
    office.settings.dkim_selector = "post"
    office.settings.dkim_private_key_file = key
    return office


@pytest.fixture
def received(signing_office) -> bytes:
    posted = signing_office.post(compose_sample(headers=UNSUBSCRIBE), key="sample:1")
    with running_relay() as relay:
        signing_office.use_relay(relay.port)
        signing_office.deliver(posted.id)
    return relay.received[0].content


def test_the_signature_holds_for_the_bytes_that_arrive(received):
    assert is_signed(received)


@pytest.mark.parametrize(
    ("genuine", "forged"),
    [
        (b"unsubscribe/abc>", b"unsubscribe/abd>"),
        (b"=One-Click", b"=Two-Click"),
        (b"To: ", b"To: x"),
        (b"Subject: ", b"Subject: Re: "),
        (b"5oqA", b"5oqB"),
    ],
    ids=["unsubscribe address", "one-click", "recipient", "subject", "body"],
)
def test_the_signature_fails_for_a_mail_that_was_tampered_with(received, genuine, forged):
    head, body = received.split(b"Message-ID", 1)
    tampered = head.replace(genuine, forged, 1) + b"Message-ID" + body.replace(genuine, forged, 1)

    assert tampered != received
    assert not is_signed(tampered)


def test_a_second_sender_cannot_be_put_before_the_signed_one(received):
    assert not is_signed(b"From: Someone <else@example.com>\r\n" + received)


def test_both_unsubscribe_headers_are_signed(received):
    signature = received.split(b"\r\nFrom:", 1)[0].replace(b"\r\n ", b"").lower()

    assert b"list-unsubscribe-post" in signature
    assert b"list-unsubscribe :" in signature
    assert b"message-id" in signature


def test_without_a_key_nothing_is_signed(office, posted):
    with running_relay() as relay:
        office.use_relay(relay.port)
        office.deliver(posted.id)

    assert b"DKIM-Signature" not in relay.received[0].content


def test_half_a_dkim_setting_is_refused_at_the_start(office):
    office.settings.dkim_domain = "jiqiao.example.com"

    with pytest.raises(ValueError, match="belong together"):
        build_mailer(office.settings)


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), (b"hello", "no private key")])
def test_a_key_that_is_none_is_refused_at_the_start(signing_office, content, why):
    path = signing_office.settings.dkim_private_key_file
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=why):
        build_signer(signing_office.settings)


def test_a_signer_signs_only_headers_that_are_there():
    signed = SIGNER.sign(b"From: a@example.com\r\nSubject: x\r\n\r\nHello.\r\n")

    assert is_signed(signed)
    assert b"list-id" not in signed
