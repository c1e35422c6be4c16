"""Mails that come back: each read rightly, counted once, for its address alone, and only on our own seal."""

import smtplib
from uuid import uuid4

import pytest
from imap import CERTIFICATE, Mailbox, running_imap
from mailing import compose_sample
from notices import RECIPIENT, SAMPLES, dsn, failed
from pydantic import SecretStr
from relays import Script, running_relay
from sqlmodel import select

from backend.errors import Conflict
from backend.mail import addresses, bounces, receiving
from backend.mail.bounces import Verdict
from backend.mail.tables import AddressRecord, Bounce, BounceKind, DeliveryState
from backend.mail.verp import read_return_address, return_address

HARD_NOTICE = failed("5.1.1", "550 5.1.1 User unknown")
SOFT_NOTICE = failed("5.2.2", "552 5.2.2 Mailbox full")


@pytest.fixture
def settings(office):
    office.settings.bounce_address = "bounce@jiqiao.example.com"
    return office.settings


def send(office, key="sample:1", **changes):
    """Let one mail leave, so that it can come back."""
    posted = office.post(compose_sample(**changes), key=key)
    with running_relay() as relay:
        office.use_relay(relay.port)
        office.deliver(posted.id)
    return office.look_up(posted.id), relay.received[0]


def receive(office, message, raw, *, sent_to=None) -> Verdict:
    to = [return_address(message.id, office.settings)] if sent_to is None else sent_to
    with office.transaction() as session:
        return bounces.receive(session, raw, sent_to=to, settings=office.settings, now=office.clock())


def kinds(office) -> list[BounceKind]:
    with office.reading() as session:
        return [bounce.kind for bounce in session.exec(select(Bounce))]


def is_suppressed(office, address=RECIPIENT) -> bool:
    with office.reading() as session:
        return addresses.is_suppressed(session, address)


def test_there_are_sixty_samples():
    assert len(SAMPLES) >= 60
    assert len({one.name for one in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
def test_a_notice_is_read_as_what_it_says(office, settings, sample):
    message, _ = send(office)

    verdict = receive(office, message, sample.raw)

    assert (verdict, kinds(office)) == (sample.verdict, [sample.kind] if sample.kind else [])


def test_each_mail_has_a_return_address_of_its_own_that_fits_an_envelope(office, settings):
    first, at_server = send(office)
    second, _ = send(office, key="sample:2")

    address = return_address(first.id, settings)
    assert at_server.sender == address != return_address(second.id, settings)
    assert len(address.partition("@")[0]) <= 64
    assert read_return_address(address, settings) == first.id
    assert read_return_address(address.upper(), settings) == first.id


def test_without_a_bounce_address_mails_come_back_to_where_they_are_sent_from(office):
    _, at_server = send(office)

    assert at_server.sender == "notice@jiqiao.example.com"


def test_the_same_notice_ten_times_counts_once(office, settings):
    message, _ = send(office)

    verdicts = [receive(office, message, HARD_NOTICE) for _ in range(10)]

    assert verdicts == [Verdict.COUNTED] + [Verdict.ALREADY_COUNTED] * 9
    assert kinds(office) == [BounceKind.HARD]


@pytest.mark.parametrize(
    "order", [(SOFT_NOTICE, HARD_NOTICE), (HARD_NOTICE, SOFT_NOTICE)], ids=["soft first", "hard first"]
)
def test_the_graver_notice_of_one_mail_counts_whatever_the_order(office, settings, order):
    message, _ = send(office)

    for notice in order:
        receive(office, message, notice)

    assert kinds(office) == [BounceKind.HARD]


@pytest.mark.parametrize(
    "forged",
    [
        "bounce@jiqiao.example.com",
        "bounce+@jiqiao.example.com",
        "bounce+" + "a" * 26 + "-" + "a" * 16 + "@jiqiao.example.com",
        "another mail's seal",
        "one letter changed",
        "",
    ],
)
def test_a_notice_to_an_address_we_never_made_is_ignored(office, settings, forged):
    message, _ = send(office)
    good, other = return_address(message.id, settings), return_address(uuid4(), settings)
    if forged == "another mail's seal":
        forged = good.partition("-")[0] + "-" + other.partition("-")[2]
    if forged == "one letter changed":
        forged = good[:10] + ("a" if good[10] != "a" else "b") + good[11:]

    verdict = receive(office, message, HARD_NOTICE, sent_to=[forged])

    assert verdict is Verdict.FORGED
    assert kinds(office) == []


def test_the_seal_is_of_our_own_secret(office, settings):
    message, _ = send(office)
    foreign = settings.model_copy(update={"secret_key": SecretStr("another secret, just as long as the first")})
    foreign.__dict__.pop("signing_key", None)

    assert receive(office, message, HARD_NOTICE, sent_to=[return_address(message.id, foreign)]) is Verdict.FORGED


def test_a_notice_of_a_mail_that_was_never_sent_is_ignored(office, settings):
    posted = office.post(compose_sample(), key="sample:1")

    assert receive(office, posted, HARD_NOTICE) is Verdict.FORGED
    with office.transaction() as session:
        unheard = [return_address(uuid4(), settings)]
        assert (
            bounces.receive(session, HARD_NOTICE, sent_to=unheard, settings=settings, now=office.clock())
            is Verdict.FORGED
        )


@pytest.mark.parametrize(("notice", "needed"), [(HARD_NOTICE, 3), (SOFT_NOTICE, 6)], ids=["hard", "soft"])
def test_an_address_is_given_up_after_so_many_bounces_and_not_before(office, settings, notice, needed):
    states = []
    for number in range(needed):
        message, _ = send(office, key=f"sample:{number}")
        receive(office, message, notice)
        states.append(is_suppressed(office))
        office.clock.advance(days=1)

    assert states == [False] * (needed - 1) + [True]


def test_bounces_older_than_thirty_days_no_longer_count(office, settings):
    for number in range(4):
        message, _ = send(office, key=f"sample:{number}")
        receive(office, message, HARD_NOTICE)
        office.clock.advance(days=16)

    assert not is_suppressed(office)


def test_one_complaint_is_enough(office, settings):
    message, _ = send(office)

    receive(office, message, next(one.raw for one in SAMPLES if one.name == "complaint"))

    assert is_suppressed(office)


def test_a_given_up_address_gets_no_digest_but_still_what_its_owner_asks_for(office, settings):
    with office.transaction() as session:
        session.add(AddressRecord(address=RECIPIENT, suppressed_at=office.clock(), reason="30 天内 3 次退信：地址无效"))
    digest = office.post(compose_sample(category="digest"), key="digest")
    reset = office.post(compose_sample(category="account"), key="reset")
    with running_relay() as relay:
        office.use_relay(relay.port)
        states = [office.deliver(message.id).state for message in (digest, reset)]

    assert states == [DeliveryState.SUPPRESSED, DeliveryState.ACCEPTED]
    assert len(relay.received) == 1


def test_an_address_that_is_confirmed_anew_begins_anew(office, settings):
    for number in range(3):
        message, _ = send(office, key=f"sample:{number}")
        receive(office, message, HARD_NOTICE)
    with office.transaction() as session:
        assert addresses.forgive(session, RECIPIENT.upper(), now=office.clock())
    office.clock.advance(hours=1)
    message, _ = send(office, key="sample:after")
    receive(office, message, HARD_NOTICE)

    assert not is_suppressed(office)


def test_another_address_is_not_touched(office, settings):
    for number in range(3):
        message, _ = send(office, key=f"sample:{number}")
        receive(office, message, HARD_NOTICE)

    assert is_suppressed(office)
    assert not is_suppressed(office, "corrected@example.com")


def test_a_refusal_of_the_recipient_in_the_dialogue_counts_like_a_bounce(office, settings):
    with running_relay(Script(rcpt="550 5.1.1 No such user")) as relay:
        office.use_relay(relay.port)
        for number in range(3):
            office.deliver(office.post(compose_sample(), key=f"sample:{number}").id)

    assert is_suppressed(office)
    with office.reading() as session:
        assert {bounce.status for bounce in session.exec(select(Bounce))} == {"5.1.1"}


@pytest.mark.parametrize("answer", ["550 Domain frequency limited", "550 Mailbox unavailable or access denied"])
def test_a_reply_about_frequency_counts_against_nobody(office, settings, answer):
    with running_relay(Script(rcpt=answer)) as relay:
        office.use_relay(relay.port)
        for number in range(8):
            office.deliver(office.post(compose_sample(), key=f"sample:{number}").id)

    assert kinds(office) == []


def test_a_mail_of_unknown_fate_that_came_back_is_not_sent_again(office, settings):
    posted = office.post(compose_sample(), key="sample:1")
    with running_relay(Script(data=None)) as relay:
        office.use_relay(relay.port)
        office.deliver(posted.id)
    receive(office, posted, SOFT_NOTICE)

    office.clock.advance(hours=2)

    assert office.resume() == 0
    assert office.look_up(posted.id).state is DeliveryState.UNKNOWN


def test_notices_are_read_from_a_mailbox_and_marked_once_they_are_kept(office, settings):
    message, _ = send(office)
    to = return_address(message.id, settings)
    settings.bounce_imap_host, settings.bounce_imap_username = "127.0.0.1", "bounce"
    settings.bounce_imap_password, settings.bounce_imap_tls = SecretStr("right"), False
    forged = dsn("Action: failed", "Status: 5.1.1", to="bounce@jiqiao.example.com")
    with running_imap(Mailbox([failed("5.1.1", "550 user unknown", to=to), forged])) as box:
        settings.bounce_imap_port = box.port

        counts, again = receiving.read_mailbox(office), receiving.read_mailbox(office)

    assert counts == {Verdict.COUNTED: 1, Verdict.FORGED: 1}
    assert again == {}
    assert box.seen == {1, 2}
    assert kinds(office) == [BounceKind.HARD]


def test_a_mailbox_that_cannot_be_read_is_said_in_one_sentence(office, settings):
    with pytest.raises(Conflict, match="没有设置退信邮箱"):
        receiving.read_mailbox(office)
    settings.bounce_imap_host, settings.bounce_imap_tls = "127.0.0.1", False
    settings.bounce_imap_username, settings.bounce_imap_password = "bounce", SecretStr("wrong")
    with running_imap(Mailbox([])) as box:
        settings.bounce_imap_port = box.port
        with pytest.raises(Conflict, match="退信邮箱读不了"):
            receiving.read_mailbox(office)


def test_a_mailbox_is_read_over_tls_from_whom_the_system_trusts_and_from_nobody_else(office, settings, monkeypatch):
    settings.bounce_imap_host, settings.bounce_imap_username = "127.0.0.1", "bounce"
    settings.bounce_imap_password = SecretStr("right")
    with running_imap(Mailbox([b"Subject: hello\r\n\r\nnot a bounce\r\n"]), tls=True) as box:
        settings.bounce_imap_port = box.port

        with pytest.raises(Conflict, match="CERTIFICATE_VERIFY_FAILED"):
            receiving.read_mailbox(office)
        unread = set(box.seen)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        counts = receiving.read_mailbox(office)

    assert unread == set()
    assert sum(counts.values()) == 1
    assert box.seen == {1}


def test_our_own_listener_takes_notices_and_lets_nothing_else_in(office, settings):
    message, _ = send(office)
    with (
        receiving.listening(office, host="127.0.0.1", port=18425) as receiver,
        smtplib.SMTP("127.0.0.1", 18425) as client,
    ):
        client.ehlo()
        refused = client.docmd("MAIL FROM:<>"), client.docmd("RCPT TO:<somebody@example.com>")
        client.rset()
        client.sendmail("", [return_address(message.id, settings)], HARD_NOTICE.replace(b"\n", b"\r\n"))

    assert refused[1][0] == 550
    assert receiver.counts == {Verdict.COUNTED: 1}
    assert kinds(office) == [BounceKind.HARD]


def test_a_notice_that_could_not_be_kept_is_asked_for_again(office, settings):
    message, _ = send(office)
    broken = type(office)(settings=settings, database=None, clock=office.clock, queue=office.queue)
    with (
        receiving.listening(broken, host="127.0.0.1", port=18426),
        smtplib.SMTP("127.0.0.1", 18426) as client,
        pytest.raises(smtplib.SMTPDataError) as refused,
    ):
        client.sendmail("", [return_address(message.id, settings)], HARD_NOTICE.replace(b"\n", b"\r\n"))

    assert refused.value.smtp_code == 451
