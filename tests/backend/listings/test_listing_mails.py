from datetime import timedelta

import pytest
from factories import MONDAY, listing_form, make_account, make_listing
from sqlmodel import select

from backend.accounts.tables import Role
from backend.jobs import find_job
from backend.listings import service
from backend.listings.jobs import queue_reminders
from backend.listings.tables import State
from backend.mail.tables import OutboxMessage

DAY = timedelta(days=1)


@pytest.fixture
def owner(session):
    return make_account(session, email="owner@example.com", display_name="李敏")


@pytest.fixture
def moderator(session):
    return make_account(session, role=Role.MODERATOR)


@pytest.fixture
def run(session, platform):
    """Give a function that runs one job of this domain."""
    return lambda name, **payload: find_job(name).function(session, platform, **payload)


def posted(session):
    return session.exec(select(OutboxMessage).order_by(OutboxMessage.posted_at)).all()


def tell(run, queued):
    """Run the mails that reviews have queued."""
    for name, payload in queued():
        if name == "listings.tell_owner":
            run(name, **payload)


def test_the_owner_is_told_that_a_listing_is_published(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING)
    service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180)

    tell(run, queued)

    (mail,) = posted(session)
    assert (mail.recipient, mail.recipient_name, mail.category) == ("owner@example.com", "李敏", "listing")
    assert mail.subject == "您的成果已发布：钢渣微粉制备高强混凝土掺合料"
    assert f"http://testserver/my/listings/{listing.id}" in mail.body_text


@pytest.mark.parametrize("deed", ["return", "take down"])
def test_the_owner_reads_the_reason_as_it_was_written(session, owner, moderator, run, queued, deed):
    listing = make_listing(session, owner=owner, state=State.PENDING if deed == "return" else State.PUBLISHED)
    act = service.return_listing if deed == "return" else service.take_down
    act(session, listing.id, by=moderator, now=MONDAY, reason="请写明测试条件。\n<b>数值</b> 也要有单位。")

    tell(run, queued)

    mail = posted(session)[-1]
    assert "> 请写明测试条件。\n> <b>数值</b> 也要有单位。" in mail.body_text
    assert "&lt;b&gt;数值&lt;/b&gt;" in mail.body_html


def test_one_decision_makes_one_mail_however_often_the_job_runs(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING)
    service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180)

    tell(run, queued)
    tell(run, queued)

    assert len(posted(session)) == 1


def test_being_returned_twice_makes_two_mails(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING)
    for reason in ("第一次的理由。", "第二次的理由。"):
        service.return_listing(session, listing.id, by=moderator, now=MONDAY, reason=reason)
        tell(run, queued)
        form = listing_form(title=f"按{reason}修改")
        service.update_listing(session, listing.id, form, by=owner, now=MONDAY, submit=True)

    first, second = posted(session)
    assert "第一次的理由。" in first.body_text
    assert "第二次的理由。" in second.body_text


def test_a_decision_that_was_overtaken_is_not_told(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING)
    service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180)
    service.withdraw_listing(session, listing.id, by=owner, now=MONDAY)

    tell(run, queued)

    assert posted(session) == []


def test_what_the_owner_does_is_not_told_to_the_owner(session, owner, queued):
    listing = make_listing(session, owner=owner)
    before = len(queued())

    service.renew_listing(session, listing.id, by=owner, now=MONDAY, days=180)
    service.withdraw_listing(session, listing.id, by=owner, now=MONDAY)

    assert [name for name, _ in queued()[before:]] == ["matching.follow", "matching.follow"]


def test_a_suspended_owner_gets_no_mail(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING)
    owner.suspended_at = MONDAY
    service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180)

    tell(run, queued)

    assert posted(session) == []


def test_a_title_with_a_line_separator_still_makes_a_mail(session, owner, moderator, run, queued):
    listing = make_listing(session, owner=owner, state=State.PENDING, title="前一半\u2028后一半")
    service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180)

    tell(run, queued)

    assert posted(session)[0].subject == "您的成果已发布：前一半 后一半"


def remind(run, queued):
    """Run the reminders that are queued, and return how many there are by now."""
    run("listings.remind_expiry")
    reminders = [payload for name, payload in queued() if name == "listings.remind_owner"]
    for payload in reminders:
        run("listings.remind_owner", **payload)
    return len(reminders)


def test_the_owner_is_reminded_once_two_weeks_before_the_end(session, owner, clock, run, queued):
    listing = make_listing(session, owner=owner)

    counts = []
    for days in (165, 166, 167, 179):
        clock.moment = MONDAY + days * DAY
        counts.append(remind(run, queued))

    (mail,) = posted(session)
    assert counts == [0, 1, 1, 1]
    assert mail.subject == "您的成果将于 2027-05-22 到期：钢渣微粉制备高强混凝土掺合料"
    assert "2027年5月22日 周六" in mail.body_text
    assert f"/my/listings/{listing.id}" in mail.body_html


def test_a_renewed_listing_is_reminded_of_its_new_end_and_not_of_the_old_one(session, owner, clock, run, queued):
    listing = make_listing(session, owner=owner)
    clock.moment = MONDAY + 170 * DAY
    run("listings.remind_expiry")
    service.renew_listing(session, listing.id, by=owner, now=clock.moment, days=180)

    first = remind(run, queued)
    clock.moment += 170 * DAY
    second = remind(run, queued)

    assert (first, second) == (1, 2)
    assert [mail.subject for mail in posted(session)] == ["您的成果将于 2027-11-08 到期：钢渣微粉制备高强混凝土掺合料"]


def test_more_reminders_are_due_than_are_read_at_once(session, owner, queued):
    listings = [make_listing(session, owner=owner) for _ in range(5)]

    queue_reminders(session, now=MONDAY + 170 * DAY, batch=2)

    reminded = [payload["listing_id"] for name, payload in queued() if name == "listings.remind_owner"]
    assert sorted(reminded) == sorted(str(listing.id) for listing in listings)


def test_time_ends_what_has_run_out_and_the_index_hears_of_it(session, owner, clock, run, queued):
    listing = make_listing(session, owner=owner)
    kept = make_listing(session, owner=owner, now=MONDAY + DAY)
    before = len(queued())
    clock.moment = MONDAY + 180 * DAY

    run("listings.expire")

    assert (listing.state, kept.state) == (State.EXPIRED, State.PUBLISHED)
    assert queued()[before:] == [("matching.follow", {"listing_id": str(listing.id)})]


def test_the_timed_jobs_have_their_hours():
    assert {name: find_job(name).cron for name in ("listings.expire", "listings.remind_expiry")} == {
        "listings.expire": "10 2 * * *",
        "listings.remind_expiry": "30 2 * * *",
    }
