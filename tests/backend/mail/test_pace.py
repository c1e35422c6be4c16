from datetime import timedelta

from mailing import compose_sample
from relays import Script, running_relay

from backend.mail.tables import DeliveryState


def post_many(office, number, **changes):
    return [office.post(compose_sample(**changes), key=f"sample:{one}") for one in range(number)]


def test_mails_to_one_relay_keep_their_distance(office):
    office.settings.mail_spacing_seconds = 5
    posted = post_many(office, 3)
    with running_relay() as relay:
        office.use_relay(relay.port)

        states = [office.deliver(message.id).state for message in posted]

    assert states == [DeliveryState.ACCEPTED] * 3
    assert office.slept == [5.0, 10.0]


def test_a_mail_that_would_wait_long_returns_to_the_outbox_without_an_attempt(office):
    office.settings.mail_spacing_seconds = 20
    posted = post_many(office, 3)
    with running_relay() as relay:
        office.use_relay(relay.port)

        last = [office.deliver(message.id) for message in posted][-1]

    assert last.state is DeliveryState.DEFERRED
    assert last.attempts == 0
    assert last.next_try_at == office.clock() + timedelta(seconds=40)


def test_a_frequency_reply_rests_the_provider_and_nobody_else(office):
    with running_relay(Script(rcpt="550 Connection frequency limited")) as relay:
        office.use_relay(relay.port)
        first = office.post(compose_sample(recipient="a@qq.com"), key="a")
        office.deliver(first.id)
        relay.handler.script.rcpt = "250 OK"
        same_provider = office.post(compose_sample(recipient="b@QQ.com"), key="b")
        another = office.post(compose_sample(recipient="c@163.com"), key="c")

        office.deliver(same_provider.id)
        office.deliver(another.id)

    assert office.look_up(first.id).state is DeliveryState.DEFERRED
    assert office.look_up(same_provider.id).attempts == 0
    assert office.look_up(same_provider.id).next_try_at == office.clock() + timedelta(minutes=30)
    assert office.look_up(another.id).state is DeliveryState.ACCEPTED


def test_mail_flows_again_when_the_rest_is_over(office):
    with running_relay(Script(rcpt="550 Connection frequency limited")) as relay:
        office.use_relay(relay.port)
        posted = office.post(compose_sample(recipient="a@qq.com"), key="a")
        office.deliver(posted.id)
        relay.handler.script.rcpt = "250 OK"
        office.clock.advance(minutes=31)

        office.resume()
        office.drain()

    assert office.look_up(posted.id).state is DeliveryState.ACCEPTED


def test_a_mail_is_given_up_after_72_hours_although_its_route_still_rests(office):
    posted = office.post(compose_sample(recipient="a@qq.com"), key="a")
    with running_relay(Script(rcpt="550 Connection frequency limited")) as relay:
        office.use_relay(relay.port)
        for _ in range(300):
            office.drain()
            office.clock.advance(minutes=20)
            office.resume()
        attempts = len(relay.handler.received)

    assert attempts == 0
    assert office.look_up(posted.id).state is DeliveryState.REJECTED
