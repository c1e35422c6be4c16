"""What becomes of a mail when a real server on the other side is well or unwell."""

import socket
from email import message_from_bytes
from email.policy import SMTP

import pytest
from mailing import compose_sample
from relays import Script, running_relay

from backend.mail import smtp
from backend.mail.codes import Stage
from backend.mail.tables import DeliveryState


def test_a_mail_arrives_as_two_parts_that_parse_without_defects(office, posted):
    with running_relay() as relay:
        office.use_relay(relay.port)

        sent = office.deliver(posted.id)

    [received] = relay.received
    mail = message_from_bytes(received.content, policy=SMTP)
    parts = list(mail.walk())
    assert sent.state is DeliveryState.ACCEPTED
    assert sent.reply == "250 OK: queued as 1（正文阶段）"
    assert received.sender == "notice@jiqiao.example.com"
    assert received.recipients == ["li.ming@example.com"]
    assert [defect for part in parts for defect in part.defects] == []
    assert [header.defects for part in parts for header in part.values() if header.defects] == []
    assert [part.get_content_type() for part in parts] == ["multipart/alternative", "text/plain", "text/html"]
    assert mail["Subject"] == posted.subject
    assert mail["Message-ID"] == f"<{sent.message_id}>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"].addresses[0].display_name == "李明"
    assert mail["From"].addresses[0].display_name == "技桥"
    assert parts[1].get_content().splitlines() == posted.body_text.splitlines()
    assert parts[2].get_content().splitlines() == posted.body_html.splitlines()


def test_the_message_id_is_of_our_domain(office, posted):
    with running_relay() as relay:
        office.use_relay(relay.port)

        sent = office.deliver(posted.id)

    assert sent.message_id == f"{posted.message_id}@jiqiao.example.com"


def test_a_mail_is_handed_in_the_database_before_its_last_dot_can_leave(office, posted):
    """Fails when `hand_over` is called after the dot, or not at all: the server would still see it claimed."""
    with running_relay() as relay:
        relay.handler.witness = lambda: office.look_up(posted.id).state
        office.use_relay(relay.port)

        office.deliver(posted.id)

    assert relay.handler.seen_at_data == [DeliveryState.CLAIMED]
    assert relay.handler.seen_at_dot == [DeliveryState.HANDED]


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (Script(greeting="421 HL:ICC 192.0.2.1"), DeliveryState.DEFERRED),
        (Script(greeting="554 No SMTP service here"), DeliveryState.DEFERRED),
        (Script(mail="553 sender not allowed"), DeliveryState.DEFERRED),
        (Script(rcpt="450 4.2.0 Greylisted, try again later"), DeliveryState.DEFERRED),
        (Script(rcpt="452 4.2.2 Over quota"), DeliveryState.DEFERRED),
        (Script(rcpt="550 Domain frequency limited"), DeliveryState.DEFERRED),
        (Script(rcpt="550 5.1.1 No such user"), DeliveryState.REJECTED),
        (Script(data="421 4.3.2 Shutting down"), DeliveryState.DEFERRED),
        (Script(data="451 DT:SPM please try again later"), DeliveryState.DEFERRED),
        (Script(data="550 Mail content denied"), DeliveryState.REJECTED),
        (Script(data="554 DT:SPM 163 smtp"), DeliveryState.REJECTED),
        (Script(data=None), DeliveryState.UNKNOWN),
    ],
    ids=lambda value: value.value if isinstance(value, DeliveryState) else (value.greeting or value.mail + value.rcpt),
)
def test_each_answer_ends_in_its_state(office, posted, script, state):
    with running_relay(script) as relay:
        office.use_relay(relay.port)

        sent = office.deliver(posted.id)

    assert sent.state is state
    assert sent.claimed_until is None
    assert (sent.settled_at is not None) == (state is DeliveryState.REJECTED)
    assert (sent.next_try_at is not None) == (state in {DeliveryState.DEFERRED, DeliveryState.UNKNOWN})


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_answer_is_kept_readable_on_one_line(encoding):
    reply = smtp._reply(550, "5.7.1 发送过于频繁\r\n请稍后再试\x00".encode(encoding), Stage.RECIPIENT)

    assert reply.text == "5.7.1 发送过于频繁 请稍后再试"


def test_an_answer_that_is_not_smtp_counts_as_none():
    assert smtp._reply(-1, b"HTTP/1.1 400 Bad Request", Stage.DATA).code == 0


def test_a_server_that_never_answers_data_leaves_the_mail_unknown(office, posted):
    with running_relay(Script(hangs=True)) as relay:
        office.use_relay(relay.port, data_timeout_seconds=0.2)

        sent = office.deliver(posted.id)

    assert sent.state is DeliveryState.UNKNOWN
    assert "timed out" in sent.reply


def test_a_refused_connection_defers_the_mail_and_spares_the_relay(office, posted):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        office.use_relay(nobody.getsockname()[1])

        sent = office.deliver(posted.id)
        next_one = office.post(compose_sample(), key="sample:2")
        office.deliver(next_one.id)

    assert sent.state is DeliveryState.DEFERRED
    assert sent.handed_at is None
    assert office.look_up(next_one.id).state is DeliveryState.DEFERRED
    assert office.look_up(next_one.id).attempts == 0


def test_an_address_outside_ascii_is_rejected_and_not_retried_for_ever(office):
    posted = office.post(compose_sample(recipient="李明@example.com"), key="sample:1")
    with running_relay() as relay:
        office.use_relay(relay.port)

        sent = office.deliver(posted.id)

    assert sent.state is DeliveryState.REJECTED
    assert relay.received == []


def test_a_mail_that_was_accepted_is_never_sent_again(office, posted):
    with running_relay() as relay:
        office.use_relay(relay.port)
        office.deliver(posted.id)

        office.deliver(posted.id)
        office.clock.advance(days=4)
        office.resume()
        office.drain()

    assert len(relay.received) == 1


def test_lines_that_start_with_a_dot_arrive_unchanged(office):
    posted = office.post(compose_sample(reason=".\n..两个点\n.结束"), key="sample:1")
    with running_relay() as relay:
        office.use_relay(relay.port)

        office.deliver(posted.id)

    mail = message_from_bytes(relay.received[0].content, policy=SMTP)
    assert "> .\n> ..两个点\n> .结束" in mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
