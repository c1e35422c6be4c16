"""Between writing and sending the world moves: what left the market, and what is no longer wanted, stays here."""

from datetime import date

import pytest
from factories import MONDAY
from recommending import TOPICS, make_manager, make_pair, recommend, withdraw
from sqlmodel import select

from backend.accounts.tables import Role
from backend.digests import service, subscriptions
from backend.digests.tables import DigestItem, Frequency
from backend.digests.week import Week
from backend.mail import delivery
from backend.mail.codes import Reply
from backend.mail.tables import DeliveryState, OutboxMessage

WEEK = Week(2026, 48)


@pytest.fixture
def manager(session):
    return make_manager(session)


def compose_two(session, platform, manager):
    pairs = [make_pair(session, platform, topic) for topic in TOPICS[:2]]
    recommend(session, platform)
    digest = service.compose_digest(session, manager.id, WEEK, platform=platform)
    session.commit()
    return digest, pairs


def mail_of(session, digest) -> OutboxMessage:
    session.expire_all()
    return session.exec(select(OutboxMessage).where(OutboxMessage.key == digest.outbox_key)).one()


def texts(mailer, manager) -> list[str]:
    found = [mail for mail in mailer.sent if manager.email in mail["To"]]
    return [mail.get_body(("plain",)).get_content() + mail["Subject"] for mail in found]


def test_a_listing_withdrawn_before_the_mail_leaves_is_in_no_mail(session, platform, manager, drain, mailer):
    digest, pairs = compose_two(session, platform, manager)
    withdraw(session, platform, pairs[0][1])

    drain()

    (text,) = texts(mailer, manager)
    assert TOPICS[0] not in text
    assert TOPICS[1] in text
    assert "本周 1 条推荐" in text
    assert len(session.exec(select(DigestItem).where(DigestItem.digest_id == digest.id)).all()) == 1


def test_what_was_taken_out_counts_as_never_shown(session, platform, clock, manager, drain):
    _, pairs = compose_two(session, platform, manager)
    withdraw(session, platform, pairs[0][1])
    drain()
    pairs[0][1].state = pairs[0][0].state
    session.add(pairs[0][1])
    session.flush()
    clock.advance(days=7)

    later = service.compose_digest(session, manager.id, WEEK.next(), platform=platform)

    shown = session.exec(select(DigestItem.demand_id).where(DigestItem.digest_id == later.id)).all()
    assert shown == [pairs[0][1].id]


def test_a_digest_of_which_nothing_is_left_is_not_sent_and_says_why(session, platform, manager, drain, mailer):
    digest, pairs = compose_two(session, platform, manager)
    for pair in pairs:
        withdraw(session, platform, pair[0])

    drain()

    mail = mail_of(session, digest)
    assert (mail.state, mail.reply) == (DeliveryState.SUPPRESSED, "周报里的信息都已不再公开")
    assert texts(mailer, manager) == []


def test_a_listing_withdrawn_between_claim_and_hand_over_does_not_leave_either(session, platform, manager):
    digest, pairs = compose_two(session, platform, manager)
    sent = []

    class WithdrawingMailer:
        def send(self, rendered, sender, recipient, hand_over):
            withdraw(session, platform, pairs[0][1])
            hand_over()
            sent.append(rendered)
            return Reply(250, "OK")

    object.__setattr__(platform, "mailer", WithdrawingMailer())
    delivery.deliver(platform, mail_of(session, digest).id)

    assert sent == []
    assert mail_of(session, digest).state is DeliveryState.DEFERRED
    assert TOPICS[0] not in mail_of(session, digest).body_text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"suspended_at": MONDAY}, "账号未启用"),
        ({"role": Role.AUDITOR}, "账号未启用"),
        ({"confirmed_at": None}, "账号未启用"),
    ],
)
def test_who_may_no_longer_have_it_gets_nothing(session, platform, manager, drain, mailer, change, reason):
    digest, _ = compose_two(session, platform, manager)
    for name, value in change.items():
        setattr(manager, name, value)
    session.add(manager)
    session.commit()

    drain()

    assert (mail_of(session, digest).state, mail_of(session, digest).reply) == (DeliveryState.SUPPRESSED, reason)
    assert texts(mailer, manager) == []


@pytest.mark.parametrize("way", ["off", "pause"])
def test_who_says_stop_while_the_mail_is_claimed_gets_nothing(session, platform, manager, way):
    digest, _ = compose_two(session, platform, manager)
    sent = []

    class StoppingMailer:
        def send(self, rendered, sender, recipient, hand_over):
            choice = Frequency.OFF if way == "off" else Frequency.WEEKLY
            until = date(2026, 12, 31) if way == "pause" else None
            subscriptions.set_preferences(session, manager, choice, paused_until=until, now=MONDAY)
            session.commit()
            hand_over()
            sent.append(rendered)
            return Reply(250, "OK")

    object.__setattr__(platform, "mailer", StoppingMailer())
    delivery.deliver(platform, mail_of(session, digest).id)

    assert sent == []
    assert mail_of(session, digest).state is DeliveryState.SUPPRESSED


def test_a_digest_whose_listings_all_stand_leaves_exactly_as_it_was_written(session, platform, manager, drain, mailer):
    digest, _ = compose_two(session, platform, manager)
    written = mail_of(session, digest).body_text

    drain()

    assert mail_of(session, digest).body_text == written
    assert mail_of(session, digest).state is DeliveryState.ACCEPTED
