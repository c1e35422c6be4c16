from datetime import timedelta

from mailing import compose_sample
from relays import Script, running_relay

from backend.mail.pace import ZONE
from backend.mail.tables import DeliveryState, MailPause


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


def deliver_all(office, posted):
    with running_relay() as relay:
        office.use_relay(relay.port)
        for message in posted:
            office.deliver(message.id)
    return [office.look_up(message.id).state for message in posted]


def test_a_relay_gets_no_more_mails_in_a_day_than_it_bears_and_the_rest_the_next_morning(office):
    office.settings.mail_daily_quota = 3
    posted = post_many(office, 5)

    states = deliver_all(office, posted)
    waits = office.look_up(posted[4].id)
    office.clock.moment = waits.next_try_at
    office.resume()
    with running_relay() as relay:
        office.use_relay(relay.port)
        office.drain()

    assert states.count(DeliveryState.ACCEPTED) == 3
    assert waits.attempts == 0
    assert waits.next_try_at.astimezone(ZONE).isoformat() == "2026-11-24T00:05:00+08:00"
    assert [office.look_up(message.id).state for message in posted] == [DeliveryState.ACCEPTED] * 5


def test_a_new_relay_is_warmed_up_twice_as_much_every_day(office):
    office.settings.mail_daily_quota, office.settings.mail_first_day_quota = 10, 2
    sent = []
    for day in range(5):
        posted = [office.post(compose_sample(), key=f"sample:{day}:{one}") for one in range(12)]
        sent.append(deliver_all(office, posted).count(DeliveryState.ACCEPTED))
        office.clock.advance(days=1)

    assert sent == [2, 4, 8, 10, 10]


def test_digests_leave_a_fifth_of_the_quota_to_letters_that_somebody_waits_for(office):
    office.settings.mail_daily_quota = 10
    digests = [office.post(compose_sample(category="digest"), key=f"digest:{one}") for one in range(12)]
    letters = [office.post(compose_sample(category="account"), key=f"letter:{one}") for one in range(3)]

    digest_states, letter_states = deliver_all(office, digests), deliver_all(office, letters)

    assert digest_states.count(DeliveryState.ACCEPTED) == 8
    assert letter_states.count(DeliveryState.ACCEPTED) == 2


def test_a_mail_that_waits_for_a_quota_is_not_given_up_after_72_hours(office):
    office.settings.mail_daily_quota = 1
    posted = post_many(office, 5)
    for _ in range(6):
        deliver_all(office, posted)
        office.clock.advance(days=1)
        office.resume()

    assert [office.look_up(message.id).state for message in posted] == [DeliveryState.ACCEPTED] * 5


def test_a_paused_category_is_not_tried_and_not_taken_for_lost(office, queued):
    message = office.post(compose_sample(category="digest"), key="digest")
    with office.transaction() as session:
        session.add(MailPause(category="digest", paused_at=office.clock(), paused_by="管理员"))
    office.queue.entries.clear()

    office.deliver(message.id)
    office.clock.advance(hours=5)

    assert office.resume() == 0
    assert office.look_up(message.id).state is DeliveryState.PENDING
    assert office.look_up(message.id).attempts == 0
