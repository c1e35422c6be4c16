"""One digest for each manager and week, each pair shown once, and a reason whenever there is none."""

import random
from datetime import timedelta

import pytest
from factories import MONDAY, make_account
from recommending import CANARIES, TOPICS, edit, make_manager, make_pair, make_side, recommend, withdraw
from sqlmodel import select

from backend.accounts.tables import Role
from backend.desk import decisions
from backend.desk.tables import DismissalReason, Recommendation
from backend.digests import service, subscriptions
from backend.digests.content import MOST_ITEMS
from backend.digests.message import PREVIEW_TOKEN
from backend.digests.tables import Digest, DigestEdition, DigestItem, Frequency, SkipReason
from backend.digests.week import Week
from backend.jobs import find_job
from backend.listings.tables import Kind, Visibility
from backend.mail.tables import DeliveryState, OutboxMessage

WEEK = Week(2026, 48)


@pytest.fixture
def manager(session):
    return make_manager(session)


def compose(session, platform, manager, week=WEEK) -> Digest:
    return service.compose_digest(session, manager.id, week, platform=platform)


def mails(session) -> list[OutboxMessage]:
    return list(session.exec(select(OutboxMessage).where(OutboxMessage.category == "digest")))


def test_a_digest_is_frozen_in_the_outbox_under_the_key_of_week_and_account(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)

    digest = compose(session, platform, manager)

    (mail,) = mails(session)
    assert digest.skip_reason is None
    assert digest.outbox_key == mail.key == f"digest:2026-W48:{manager.id}"
    assert (mail.recipient, mail.recipient_name) == (manager.email, manager.display_name)


def test_opening_an_edition_queues_one_digest_for_every_active_manager_and_nobody_twice(session, queued):
    managers = [make_manager(session), make_manager(session)]
    suspended = make_manager(session)
    suspended.suspended_at = MONDAY
    session.add(suspended)
    make_account(session)

    for _ in range(2):
        service.open_edition(session, WEEK, now=MONDAY)

    jobs = [payload for name, payload in queued() if name == "digests.compose"]
    assert sorted(job["account_id"] for job in jobs) == sorted(str(manager.id) for manager in managers)
    assert {job["week"] for job in jobs} == {"2026-W48"}
    assert [edition.week for edition in session.exec(select(DigestEdition))] == ["2026-W48"]


def test_two_runs_of_one_week_make_one_mail(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)

    first, second = compose(session, platform, manager), compose(session, platform, manager)

    assert first.id == second.id
    assert len(mails(session)) == 1
    assert len(session.exec(select(DigestItem)).all()) == 1


def test_next_week_shows_only_the_pair_that_is_new(session, platform, clock, manager):
    make_pair(session, platform, TOPICS[0])
    recommend(session, platform)
    compose(session, platform, manager)
    clock.advance(days=7)
    _, demand = make_pair(session, platform, TOPICS[1])
    recommend(session, platform)

    digest = compose(session, platform, manager, WEEK.next())

    items = session.exec(select(DigestItem).where(DigestItem.digest_id == digest.id)).all()
    assert [item.demand_id for item in items] == [demand.id]


def test_a_pair_that_changed_is_shown_again(session, platform, clock, manager):
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    compose(session, platform, manager)
    clock.advance(days=7)
    edit(session, platform, supply)
    recommend(session, platform)

    digest = compose(session, platform, manager, WEEK.next())

    assert digest.skip_reason is None
    assert len(session.exec(select(DigestItem)).all()) == 2


def test_with_nothing_new_nothing_is_sent_and_the_reason_is_kept(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    compose(session, platform, manager)

    digest = compose(session, platform, manager, WEEK.next())

    assert (digest.skip_reason, digest.outbox_key) == (SkipReason.NOTHING_NEW, None)
    assert len(mails(session)) == 1


def test_who_unsubscribed_gets_nothing_and_the_pair_stays_new(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    subscriptions.set_frequency(session, manager, Frequency.OFF, now=MONDAY)

    skipped = compose(session, platform, manager)
    subscriptions.set_frequency(session, manager, Frequency.WEEKLY, now=MONDAY)
    later = compose(session, platform, manager, WEEK.next())

    assert skipped.skip_reason is SkipReason.UNSUBSCRIBED
    assert later.skip_reason is None


@pytest.mark.parametrize("change", [{"suspended_at": MONDAY}, {"confirmed_at": None}, {"role": Role.MODERATOR}])
def test_an_account_that_is_no_active_reader_any_more_gets_nothing(session, platform, manager, change):
    make_pair(session, platform)
    recommend(session, platform)
    for name, value in change.items():
        setattr(manager, name, value)
    session.add(manager)
    session.flush()

    assert compose(session, platform, manager).skip_reason is SkipReason.NOT_ACTIVE
    assert mails(session) == []


def test_at_most_seven_pairs_are_shown_and_the_rest_next_week(session, platform, manager):
    for topic in TOPICS[: MOST_ITEMS + 2]:
        make_pair(session, platform, topic)
    recommend(session, platform)

    digests = [compose(session, platform, manager, week) for week in (WEEK, WEEK.next())]

    shown = [len(session.exec(select(DigestItem).where(DigestItem.digest_id == one.id)).all()) for one in digests]
    assert shown == [MOST_ITEMS, 2]


def test_weak_pairs_come_only_after_all_better_ones(session, platform, manager):
    _, weak = make_pair(session, platform, TOPICS[0])
    _, fair = make_pair(session, platform, TOPICS[1])
    recommend(session, platform)
    for row in session.exec(select(Recommendation)):
        row.level, row.score = ("weak", 9.0) if row.demand_id == weak.id else ("fair", 1.0)
        session.add(row)
    session.flush()
    subscriptions.set_preferences(session, manager, Frequency.WEEKLY, floor="weak", now=MONDAY)

    compose(session, platform, manager)

    items = session.exec(select(DigestItem).order_by(DigestItem.position)).all()
    assert [item.demand_id for item in items] == [fair.id, weak.id]


def test_what_was_decided_or_withdrawn_since_is_not_shown(session, platform, manager):
    _, kept = make_pair(session, platform, TOPICS[0])
    _, dismissed = make_pair(session, platform, TOPICS[1])
    _, put_off = make_pair(session, platform, TOPICS[2])
    _, taken = make_pair(session, platform, TOPICS[3])
    _, withdrawn = make_pair(session, platform, TOPICS[4])
    recommend(session, platform)
    rows = {row.demand_id: row for row in session.exec(select(Recommendation))}
    decisions.dismiss(session, rows[dismissed.id].id, by=manager, reason=DismissalReason.KNOWN, now=MONDAY)
    decisions.snooze(session, rows[put_off.id].id, by=manager, days=7, now=MONDAY)
    decisions.take(session, rows[taken.id].id, by=manager, now=MONDAY)
    withdraw(session, platform, withdrawn)

    compose(session, platform, manager)

    assert [item.demand_id for item in session.exec(select(DigestItem))] == [kept.id]


def test_a_pair_that_another_manager_works_on_is_not_shown(session, platform, manager):
    other = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    row = session.exec(select(Recommendation).where(Recommendation.manager_id == other.id)).one()
    decisions.take(session, row.id, by=other, now=MONDAY)

    assert compose(session, platform, manager).skip_reason is SkipReason.NOTHING_NEW


def test_no_contact_detail_ever_stands_in_a_digest(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)

    compose(session, platform, manager)

    (mail,) = mails(session)
    whole = "\n".join([mail.subject, mail.body_text, mail.body_html, str(mail.headers)])
    assert not [canary for canary in CANARIES if canary in whole]


def test_a_manager_reads_the_organisation_of_an_anonymous_listing_kept_for_managers(session, platform, manager):
    hidden = {"is_anonymous": True, "visibility": Visibility.MANAGERS}
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    demand = make_side(session, platform, TOPICS[0], Kind.DEMAND, **hidden)
    recommend(session, platform)

    compose(session, platform, manager)

    (mail,) = mails(session)
    assert demand.title in mail.body_text
    assert "应发布方要求隐去" not in mail.body_text


def test_a_preview_is_the_mail_that_is_sent_and_writes_nothing(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    subscriptions.ensure_subscription(session, manager.id, now=MONDAY)

    shown = service.preview(session, manager, WEEK, platform=platform)
    before = session.exec(select(Digest)).all()
    compose(session, platform, manager)

    (mail,) = mails(session)
    assert before == []
    assert (shown.subject, shown.text, shown.html) == (mail.subject, mail.body_text, mail.body_html)


def test_a_preview_for_somebody_without_subscription_names_no_token(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)

    shown = service.preview(session, manager, WEEK, platform=platform)

    assert f"/digest/unsubscribe/{PREVIEW_TOKEN}" in shown.text


def test_the_timed_job_opens_the_present_week_and_the_mails_leave(session, platform, manager, drain, mailer):
    make_pair(session, platform)
    recommend(session, platform)

    with platform.transaction() as timed:
        find_job("digests.open").function(timed, platform)
    drain()

    (mail,) = [mail for mail in mailer.sent if manager.email in mail["To"]]
    assert "本周 1 条推荐" in mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert {one.state for one in mails(session)} == {DeliveryState.ACCEPTED}


def test_a_scheduler_whose_clock_jumps_back_and_forth_makes_one_digest_a_week(session, platform, clock, manager, drain):
    chance, lived = random.Random(53), set()
    make_pair(session, platform)
    recommend(session, platform)

    for _ in range(200):
        # Over the year's end with its week 53, back and forth, and now and then not at all.
        clock.moment = MONDAY + timedelta(days=chance.randrange(70), hours=chance.randrange(24))
        lived.add(Week.of(clock()).key)
        with platform.transaction() as timed:
            find_job("digests.open").function(timed, platform)
        drain()

    digests = session.exec(select(Digest.week).where(Digest.account_id == manager.id)).all()
    assert sorted(digests) == sorted(lived)
    assert {"2026-W52", "2026-W53", "2027-W01"} < lived
    assert len([mail for mail in mails(session) if mail.recipient == manager.email]) == 1


def test_weeks_that_were_missed_are_not_made_up_in_a_burst(session, platform, clock, manager, drain):
    make_pair(session, platform)
    recommend(session, platform)
    clock.advance(days=22)

    for _ in range(4):
        with platform.transaction() as timed:
            find_job("digests.open").function(timed, platform)
    drain()

    assert session.exec(select(Digest.week).where(Digest.account_id == manager.id)).all() == ["2026-W51"]


def test_the_timetable_of_the_digest_is_a_setting(settings):
    assert find_job("digests.open").cron_setting == "digest_cron"
    assert settings.digest_cron == "30 8 * * 1"


def test_what_waits_in_the_outbox_stays_there_once_its_recipient_unsubscribes(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    compose(session, platform, manager)

    subscriptions.set_frequency(session, manager, Frequency.OFF, now=MONDAY + timedelta(minutes=1))

    (mail,) = mails(session)
    assert mail.state is DeliveryState.SUPPRESSED


def test_a_pair_that_changed_is_shown_as_it_stands_even_before_it_is_recommended_anew(session, platform, manager):
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    compose(session, platform, manager)
    edit(session, platform, supply)

    digest = compose(session, platform, manager, WEEK.next())
    recommend(session, platform)
    after = compose(session, platform, manager, WEEK.next().next())

    assert digest.skip_reason is None
    assert after.skip_reason is SkipReason.NOTHING_NEW
