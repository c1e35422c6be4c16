"""What a digest tells beside pairs: what ends soon and what moved, each once, and never in a burst."""

from datetime import date, timedelta

import pytest
from factories import MONDAY, make_account
from recommending import TOPICS, edit, make_manager, make_pair, make_side, recommend, withdraw
from sqlmodel import select

from backend.desk import decisions
from backend.desk.tables import Recommendation
from backend.digests import service
from backend.digests.content import find_content
from backend.digests.notices import MOST_NOTICES
from backend.digests.week import Week
from backend.listings.tables import Kind
from backend.mail.tables import OutboxMessage

WEEK = Week(2026, 48)


@pytest.fixture
def manager(session):
    return make_manager(session)


def mail_to(session, account) -> OutboxMessage:
    query = select(OutboxMessage).where(OutboxMessage.recipient == account.email, OutboxMessage.category == "digest")
    return session.exec(query.order_by(OutboxMessage.posted_at.desc())).first()


def take(session, manager) -> None:
    row = session.exec(select(Recommendation).where(Recommendation.manager_id == manager.id)).one()
    decisions.take(session, row.id, by=manager, now=MONDAY)


def test_a_manager_is_told_what_ends_within_two_weeks_among_own_cases(session, platform, manager):
    _, demand = make_pair(session, platform, deadline_on=date(2026, 12, 4))
    recommend(session, platform)
    take(session, manager)

    service.compose_digest(session, manager.id, WEEK, platform=platform)

    mail = mail_to(session, manager)
    assert mail.subject.startswith("[技桥] 本周 2 条提醒：")
    for part in (mail.body_text, mail.body_html):
        assert "需求，12 月 4 日截止" in part
        assert f"/listings/{demand.id}" in part


def test_the_same_end_is_told_once(session, platform, clock, manager):
    make_pair(session, platform, deadline_on=date(2026, 12, 4))
    recommend(session, platform)
    take(session, manager)
    service.compose_digest(session, manager.id, WEEK, platform=platform)
    clock.advance(days=7)

    again = service.compose_digest(session, manager.id, WEEK.next(), platform=platform)

    assert again.outbox_key is None


def test_what_ends_later_than_two_weeks_is_not_told(session, platform, manager):
    make_pair(session, platform, deadline_on=date(2026, 12, 20))
    recommend(session, platform)

    content = find_content(session, manager, platform=platform, now=platform.clock())

    assert content.expiring == ()


def test_a_member_is_told_when_its_own_listing_ends(session, platform, clock):
    member = make_account(session)
    listing = make_side(session, platform, TOPICS[0], Kind.DEMAND, owner=member)
    clock.advance(days=170)

    service.compose_digest(session, member.id, Week.of(clock()), platform=platform)

    mail = mail_to(session, member)
    assert "到期下架" in mail.body_text
    assert f"/my/listings/{listing.id}" in mail.body_text
    assert "本周没有新的匹配" in mail.body_text


def test_a_manager_is_told_that_a_side_of_a_case_left_the_market(session, platform, manager):
    _, demand = make_pair(session, platform)
    recommend(session, platform)
    take(session, manager)
    withdraw(session, platform, demand)

    service.compose_digest(session, manager.id, WEEK, platform=platform)

    assert "您接洽的需求已下架，请与对方确认是否继续" in mail_to(session, manager).body_text


def test_a_manager_is_told_that_a_side_of_a_case_says_something_else_now(session, platform, clock, manager):
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    take(session, manager)
    clock.advance(days=2)
    edit(session, platform, supply)

    service.compose_digest(session, manager.id, WEEK, platform=platform)
    clock.advance(days=7)
    again = service.compose_digest(session, manager.id, WEEK.next(), platform=platform)

    assert "您接洽的成果内容有修改" in mail_to(session, manager).body_text
    assert again.outbox_key is None


def test_at_most_a_handful_of_ends_is_told_at_once(session, platform, manager):
    for topic in TOPICS[:6]:
        make_pair(session, platform, topic, deadline_on=date(2026, 12, 1))
    recommend(session, platform)

    content = find_content(session, manager, platform=platform, now=platform.clock())

    assert len(content.expiring) == MOST_NOTICES


def test_a_changed_pair_says_that_it_changed(session, platform, clock, manager):
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    service.compose_digest(session, manager.id, WEEK, platform=platform)
    first = mail_to(session, manager).body_text
    clock.advance(days=7)
    edit(session, platform, supply)
    recommend(session, platform)

    service.compose_digest(session, manager.id, WEEK.next(), platform=platform)

    assert "内容有变化，再次推荐" not in first
    assert "内容有变化，再次推荐" in mail_to(session, manager).body_text
    assert clock() == MONDAY + timedelta(days=7)
