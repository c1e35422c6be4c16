"""`jiqiao check` on mails, editions and bounces: whole when all is well, and each broken promise named."""

from datetime import timedelta

import pytest
from factories import MONDAY, make_account
from recommending import TOPICS, make_manager, make_pair, make_side, recommend
from sqlmodel import select

from backend.check.invariants import find_breaches
from backend.digests import service
from backend.digests.tables import Digest, DigestItem, DigestNotice, SkipReason
from backend.digests.week import Week
from backend.listings.tables import Kind
from backend.mail.tables import Bounce, BounceKind, DeliveryState, OutboxMessage
from backend.matching import saved_searches
from backend.matching.query import SearchQuery

WEEK = Week(2026, 48)


@pytest.fixture
def sound(session, platform, drain):
    """Keep an edition that was composed and sent, with a pair and a find in it, and a mail of it that came back."""
    manager = make_manager(session)
    query = SearchQuery(kind=Kind.DEMAND)
    saved_searches.save_search(session, manager, query, catalogue=platform.catalogue, now=MONDAY - timedelta(days=1))
    make_pair(session, platform)
    make_side(session, platform, TOPICS[1], Kind.DEMAND)
    recommend(session, platform)
    service.open_edition(session, WEEK, now=MONDAY)
    session.commit()
    drain()
    mail = session.exec(select(OutboxMessage).where(OutboxMessage.recipient == manager.email)).one()
    session.refresh(mail)
    session.add(Bounce(outbox_id=mail.id, address=manager.email_key, kind=BounceKind.SOFT, bounced_at=MONDAY))
    session.flush()
    assert mail.state is DeliveryState.ACCEPTED
    assert find_breaches(session, platform) == []
    return mail


def digest_of(session, mail) -> Digest:
    return session.exec(select(Digest).where(Digest.outbox_key == mail.key)).one()


def no_time_of_the_answer(session, mail):
    mail.settled_at = None


def no_time_of_handing_over(session, mail):
    mail.handed_at = None


def sent_again_twice(session, mail):
    mail.repeats = 2


def both_a_mail_and_a_reason(session, mail):
    digest_of(session, mail).skip_reason = SkipReason.PAUSED


def both_due_and_composed(session, mail):
    digest_of(session, mail).is_due = True


def neither_a_mail_nor_a_reason(session, mail):
    digest_of(session, mail).outbox_key = None


def a_mail_that_is_nowhere(session, mail):
    digest_of(session, mail).outbox_key = "digest:2026-W48:nowhere"


def a_pair_of_somebody_else(session, mail):
    session.exec(select(DigestItem)).first().account_id = make_account(session).id


def a_find_of_somebody_else(session, mail):
    session.exec(select(DigestNotice)).first().account_id = make_account(session).id


def a_bounce_under_another_address(session, mail):
    session.exec(select(Bounce)).first().address = "somebody-else@example.com"


def a_bounce_of_what_never_left(session, mail):
    mail.handed_at, mail.state = None, DeliveryState.DEFERRED


BROKEN = (
    (no_time_of_the_answer, ["已有结果，却没有记录时间"]),
    (no_time_of_handing_over, ["已交付，却没有记录交付时间", "的邮件从来没有交付过"]),
    (sent_again_twice, ["重复发送超过一次"]),
    (both_a_mail_and_a_reason, ["或不止有一样"]),
    (both_due_and_composed, ["或不止有一样"]),
    (neither_a_mail_nor_a_reason, ["既没有邮件也没有理由", "各处人数之和不等于应发人数"]),
    (a_mail_that_is_nowhere, ["各处人数之和不等于应发人数", "不在发件箱里"]),
    (a_pair_of_somebody_else, ["属于另一个账号"]),
    (a_find_of_somebody_else, ["属于另一个账号"]),
    (a_bounce_under_another_address, ["记在了另一个地址名下"]),
    (a_bounce_of_what_never_left, ["的邮件从来没有交付过"]),
)


def test_each_broken_promise_is_named_and_nothing_else_is(session, platform, sound):
    for plant, said in BROKEN:
        with session.begin_nested() as planting:
            plant(session, sound)
            session.flush()
            found = find_breaches(session, platform)
            planting.rollback()

        assert len(found) == len(said), (plant.__name__, found)
        for breach, words in zip(found, said, strict=True):
            assert words in breach, plant.__name__
