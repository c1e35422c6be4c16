import pytest
from mailing import compose_sample

from backend.errors import Conflict, NotFound
from backend.mail import outbox, repository
from backend.mail.tables import DeliveryState, OutboxMessage


def test_posting_a_key_twice_keeps_one_mail_and_queues_one_delivery(office, queued):
    first = office.post(compose_sample(), key="sample:1")

    second = office.post(compose_sample(title="另一个标题"), key="sample:1")

    assert second.id == first.id
    assert second.subject == first.subject
    assert queued() == [("mail.deliver", {"outbox_id": str(first.id)})]


def test_a_mail_exists_exactly_when_the_change_it_tells_of_does(office):
    def change_that_fails():
        with office.transaction() as session:
            outbox.post(session, compose_sample(), key="sample:1", now=office.clock())
            raise Conflict("too late")

    with pytest.raises(Conflict):
        change_that_fails()

    with office.reading() as session:
        assert repository.find_by_key(session, "sample:1") is None


def test_the_message_id_depends_on_the_key_alone(office):
    first = office.post(compose_sample(), key="sample:1")

    assert first.message_id == outbox.make_message_id("sample:1")
    assert first.message_id != outbox.make_message_id("sample:2")


def test_unsubscribing_keeps_waiting_mails_of_that_category_and_address_only(office):
    waiting = office.post(compose_sample(category="digest"), key="digest:1")
    other_category = office.post(compose_sample(), key="moderation:1")
    other_person = office.post(compose_sample(category="digest", recipient="wang@example.com"), key="digest:2")

    with office.transaction() as session:
        kept = outbox.suppress(
            session, recipient="li.ming@example.com", category="digest", reason="已退订", now=office.clock()
        )

    assert [message.id for message in kept] == [waiting.id]
    assert office.look_up(waiting.id).state is DeliveryState.SUPPRESSED
    assert office.look_up(waiting.id).reply == "已退订"
    assert office.look_up(other_category.id).state is DeliveryState.PENDING
    assert office.look_up(other_person.id).state is DeliveryState.PENDING


def test_a_suppressed_mail_is_not_delivered_although_its_job_runs(office):
    posted = office.post(compose_sample(category="digest"), key="digest:1")
    with office.transaction() as session:
        outbox.suppress(session, recipient=posted.recipient, category="digest", reason="已退订", now=office.clock())

    office.drain()

    assert office.look_up(posted.id).state is DeliveryState.SUPPRESSED
    assert office.look_up(posted.id).attempts == 0


def test_unsubscribing_keeps_an_unknown_mail_from_repeating(office, posted):
    with office.transaction() as session:
        message = session.get_one(OutboxMessage, posted.id)
        message.state, message.next_try_at = DeliveryState.UNKNOWN, office.clock()
        session.add(message)

    with office.transaction() as session:
        outbox.suppress(
            session, recipient=posted.recipient, category=posted.category, reason="已退订", now=office.clock()
        )
    office.clock.advance(hours=1)
    office.resume()

    assert office.look_up(posted.id).state is DeliveryState.UNKNOWN
    assert office.look_up(posted.id).repeats == 0


def test_only_a_deferred_mail_can_be_tried_again_by_hand(office, posted, queued):
    with pytest.raises(Conflict, match="待发送"), office.transaction() as session:
        outbox.retry_now(session, posted.id, now=office.clock())
    with pytest.raises(NotFound), office.transaction() as session:
        outbox.retry_now(session, type(posted.id)(int=1), now=office.clock())
    with office.transaction() as session:
        message = session.get_one(OutboxMessage, posted.id)
        message.state, message.next_try_at = DeliveryState.DEFERRED, office.clock.advance(hours=3)
        session.add(message)

    with office.transaction() as session:
        outbox.retry_now(session, posted.id, now=office.clock())

    assert office.look_up(posted.id).state is DeliveryState.PENDING
    assert len(queued()) == 2


@pytest.mark.usefixtures("posted")
def test_counts_name_every_state(office):
    with office.reading() as session:
        counts = repository.count_by_state(session)

    assert counts[DeliveryState.PENDING] == 1
    assert set(counts) == set(DeliveryState)
    assert sum(counts.values()) == 1
