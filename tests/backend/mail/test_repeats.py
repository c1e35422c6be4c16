"""A mail is sent again only when nobody knows whether it arrived, and then once, as the same mail."""

from datetime import timedelta

import pytest
from mailing import FailingMailer, PowerCut, compose_sample
from relays import Script, running_relay

from backend.mail import delivery
from backend.mail.codes import Reply
from backend.mail.tables import DeliveryState


def message_ids(rendered: list[bytes]) -> list[bytes]:
    return [line for mail in rendered for line in mail.split(b"\r\n") if line.lower().startswith(b"message-id:")]


def crash(office, posted, *, after_hand_over: bool = True):
    """Deliver with a mailer at which the power goes, then let the lease run out."""
    office.mailer = FailingMailer(after_hand_over=after_hand_over)
    with pytest.raises(PowerCut):
        office.deliver(posted.id)
    office.clock.advance(minutes=16)
    office.resume()
    return office.mailer.delivered


def test_a_crash_after_the_hand_over_repeats_once_under_the_same_message_id(office, posted):
    """Fails when the state is written after the wire: the mail would then count as unsent and repeat without end."""
    first = crash(office, posted)
    assert office.look_up(posted.id).state is DeliveryState.UNKNOWN
    office.clock.advance(minutes=6)
    office.resume()

    with running_relay() as relay:
        office.use_relay(relay.port)
        office.drain()

    again = [received.content for received in relay.received]
    assert office.look_up(posted.id).state is DeliveryState.ACCEPTED
    assert office.look_up(posted.id).repeats == 1
    assert len(again) == 1
    assert message_ids(first) == message_ids(again)
    assert first == again


def test_a_second_crash_leaves_the_mail_unknown_for_good(office, posted):
    crash(office, posted)
    office.clock.advance(minutes=6)
    office.resume()
    copies = crash(office, posted)

    for _ in range(5):
        office.clock.advance(hours=30)
        office.resume()
        office.drain()

    settled = office.look_up(posted.id)
    assert len(copies) == 1
    assert settled.state is DeliveryState.UNKNOWN
    assert settled.repeats == 1
    assert settled.attempts == 2
    assert settled.settled_at is not None


def test_a_connection_lost_after_data_repeats_once_and_never_more(office, posted):
    with running_relay(Script(data=None)) as relay:
        office.use_relay(relay.port)
        office.deliver(posted.id)
        for _ in range(6):
            office.clock.advance(hours=1)
            office.resume()
            office.drain()

    copies = [received.content for received in relay.received]
    assert len(copies) == 2
    assert len(set(message_ids(copies))) == 1
    assert office.look_up(posted.id).state is DeliveryState.UNKNOWN


def test_a_crash_before_the_hand_over_costs_no_repeat(office, posted):
    crash(office, posted, after_hand_over=False)
    assert office.look_up(posted.id).state is DeliveryState.DEFERRED
    office.clock.advance(minutes=5)
    office.resume()

    with running_relay() as relay:
        office.use_relay(relay.port)
        office.drain()

    assert len(relay.received) == 1
    assert office.look_up(posted.id).state is DeliveryState.ACCEPTED
    assert office.look_up(posted.id).repeats == 0


def test_a_mail_in_delivery_is_left_alone_until_its_lease_is_over(office, posted):
    office.mailer = FailingMailer()
    with pytest.raises(PowerCut):
        office.deliver(posted.id)

    office.clock.advance(minutes=14)
    resumed = office.resume()
    office.deliver(posted.id)

    assert resumed == 0
    assert office.look_up(posted.id).state is DeliveryState.HANDED
    assert len(office.mailer.delivered) == 1


def test_a_delivery_that_lost_its_lease_sends_nothing(office, posted):
    class SlowMailer:
        sent = 0

        def send(self, rendered, sender, recipient, hand_over):
            office.clock.advance(minutes=11)
            office.resume()
            hand_over()
            SlowMailer.sent += 1
            return Reply(250, "OK")

    office.mailer = SlowMailer()

    state = office.deliver(posted.id).state

    assert SlowMailer.sent == 0
    assert state is DeliveryState.DEFERRED


def test_an_answer_that_comes_after_the_lease_still_counts(office, posted):
    class LateMailer:
        def send(self, rendered, sender, recipient, hand_over):
            hand_over()
            office.clock.advance(minutes=16)
            office.resume()
            assert office.look_up(posted.id).state is DeliveryState.UNKNOWN
            return Reply(250, "OK at last")

    office.mailer = LateMailer()

    settled = office.deliver(posted.id)
    office.clock.advance(hours=1)

    assert settled.state is DeliveryState.ACCEPTED
    assert office.resume() == 0


def test_a_late_answer_does_not_overrule_the_delivery_that_took_over(office, posted):
    with running_relay() as relay:

        class OvertakenMailer:
            def send(self, rendered, sender, recipient, hand_over):
                hand_over()
                office.clock.advance(minutes=30)
                office.resume()
                office.clock.advance(minutes=30)
                office.resume()
                office.use_relay(relay.port)
                office.drain()
                return Reply(550, "no")

        office.mailer = OvertakenMailer()
        office.queue.entries.clear()

        settled = office.deliver(posted.id)

    assert settled.state is DeliveryState.ACCEPTED
    assert len(relay.received) == 1


def test_retries_rest_longer_each_time_and_end_after_72_hours(office, posted):
    with running_relay(Script(rcpt="450 4.2.0 try again later")) as relay:
        office.use_relay(relay.port)
        rests = []
        message = office.deliver(posted.id)
        while message.state is DeliveryState.DEFERRED:
            rests.append(message.next_try_at - office.clock())
            office.clock.moment = message.next_try_at
            office.resume()
            office.drain()
            message = office.look_up(posted.id)

    assert message.state is DeliveryState.REJECTED
    assert message.reply.startswith("72 小时内没有送达；最后的答复：450")
    assert office.clock() == posted.posted_at + timedelta(hours=72)
    assert 20 < len(rests) < 60
    assert rests[0] < timedelta(minutes=3)
    assert max(rests) <= timedelta(hours=4.8)


def test_mails_that_failed_together_do_not_return_together(office):
    posted = [office.post(compose_sample(), key=f"sample:{number}") for number in range(20)]
    for message in posted:
        message.attempts = 3

    rests = {delivery.back_off(message) for message in posted}

    assert len(rests) == 20
    assert all(timedelta(minutes=6.4) <= rest <= timedelta(minutes=9.6) for rest in rests)


def test_a_pending_mail_whose_job_was_lost_is_found_when_the_queue_is_quiet(office, posted, queued):
    office.queue.entries.clear()
    office.clock.advance(minutes=14)
    assert office.resume() == 0
    office.clock.advance(minutes=2)

    found = office.resume()

    assert found == 1
    assert queued() == [("mail.deliver", {"outbox_id": str(posted.id)})]
    assert office.resume() == 0


def test_pending_mails_behind_a_busy_queue_are_not_queued_again(office):
    early = office.post(compose_sample(), key="sample:1")
    office.post(compose_sample(), key="sample:2")
    office.clock.advance(minutes=30)
    with running_relay() as relay:
        office.use_relay(relay.port)
        office.deliver(early.id)

    office.clock.advance(minutes=1)

    assert office.resume() == 0
