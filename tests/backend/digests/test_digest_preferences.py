"""How often, from when on, how well a pair must fit: what a reader chose is what happens."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import MONDAY, make_account
from recommending import TOPICS, make_manager, make_pair, make_side, recommend
from sqlmodel import select

from backend.accounts.tables import Account, Organisation, TrailEntry
from backend.desk.tables import Recommendation
from backend.digests import service, subscriptions
from backend.digests.tables import Digest, DigestItem, DigestSubscription, Frequency, SkipReason
from backend.digests.week import Week
from backend.jobs import find_job
from backend.listings.tables import Kind
from backend.mail.tables import DeliveryState, OutboxMessage

WEEK = Week(2026, 48)


@pytest.fixture
def manager(session):
    return make_manager(session)


def compose(session, platform, account, week=WEEK) -> Digest:
    return service.compose_digest(session, account.id, week, platform=platform)


def weeks_from(week: Week, count: int) -> list[Week]:
    found = [week]
    while len(found) < count:
        found.append(found[-1].next())
    return found


@pytest.mark.parametrize(
    ("frequency", "posted"),
    [(Frequency.WEEKLY, "11111111"), (Frequency.FORTNIGHTLY, "10101010"), (Frequency.FOUR_WEEKLY, "10001000")],
)
def test_a_digest_comes_as_often_as_was_chosen(session, platform, clock, manager, frequency, posted):
    subscriptions.set_frequency(session, manager, frequency, now=MONDAY)
    digests = []
    for number, week in enumerate(weeks_from(WEEK, 8)):
        make_pair(session, platform, TOPICS[number])
        recommend(session, platform)
        digests.append(compose(session, platform, manager, week))
        clock.advance(days=7)

    assert "".join("1" if digest.outbox_key else "0" for digest in digests) == posted
    assert {digest.skip_reason for digest in digests} <= {None, SkipReason.NOT_DUE}


def test_weeks_left_out_by_choice_are_folded_into_the_next_digest(session, platform, clock, manager):
    subscriptions.set_frequency(session, manager, Frequency.FORTNIGHTLY, now=MONDAY)
    for number, week in enumerate(weeks_from(WEEK, 3)):
        make_pair(session, platform, TOPICS[number])
        recommend(session, platform)
        last = compose(session, platform, manager, week)
        clock.advance(days=7)

    shown = session.exec(select(DigestItem).where(DigestItem.digest_id == last.id)).all()
    assert len(shown) == 2


def test_a_week_with_nothing_to_say_does_not_put_the_next_one_off(session, platform, clock, manager):
    subscriptions.set_frequency(session, manager, Frequency.FORTNIGHTLY, now=MONDAY)
    first, second = weeks_from(WEEK, 2)
    nothing = compose(session, platform, manager, first)
    clock.advance(days=7)
    make_pair(session, platform)
    recommend(session, platform)

    digest = compose(session, platform, manager, second)

    assert (nothing.skip_reason, digest.skip_reason) == (SkipReason.NOTHING_NEW, None)


def test_the_turn_of_a_year_of_53_weeks_loses_and_doubles_no_week(session, platform, clock, manager):
    clock.moment = datetime(2026, 12, 21, 0, 30, tzinfo=UTC)
    opened = []
    for number in range(4):
        make_pair(session, platform, TOPICS[number])
        recommend(session, platform)
        for _ in range(2):
            with platform.transaction() as timed:
                find_job("digests.open").function(timed, platform)
        digests = session.exec(select(Digest).where(Digest.account_id == manager.id)).all()
        opened.append(max(digest.week for digest in digests))
        compose(session, platform, manager, Week.of(clock()))
        clock.advance(days=7)

    assert opened == ["2026-W52", "2026-W53", "2027-W01", "2027-W02"]


@pytest.mark.parametrize("jump", [timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=6)])
def test_a_start_after_the_due_time_makes_up_this_week_once(session, platform, clock, manager, drain, jump):
    make_pair(session, platform)
    recommend(session, platform)
    clock.moment = MONDAY + jump

    for _ in range(3):
        with platform.transaction() as timed:
            find_job("digests.open").function(timed, platform)
        drain()

    assert session.exec(select(Digest.week).where(Digest.account_id == manager.id)).all() == ["2026-W48"]


def test_a_pause_ends_by_itself_and_what_came_meanwhile_is_told_then(session, platform, clock, manager):
    make_pair(session, platform)
    recommend(session, platform)
    subscriptions.set_preferences(session, manager, Frequency.WEEKLY, paused_until=date(2026, 11, 30), now=MONDAY)

    paused = compose(session, platform, manager)
    clock.advance(days=7)
    again = compose(session, platform, manager, WEEK.next())

    assert paused.skip_reason is SkipReason.PAUSED
    assert again.outbox_key is not None


def test_a_pause_keeps_what_is_written_but_has_not_left(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    compose(session, platform, manager)

    subscriptions.set_preferences(session, manager, Frequency.WEEKLY, paused_until=date(2026, 12, 7), now=MONDAY)

    assert session.exec(select(OutboxMessage.state).where(OutboxMessage.category == "digest")).all() == [
        DeliveryState.SUPPRESSED
    ]


@pytest.mark.parametrize(("floor", "shown"), [("strong", 1), ("fair", 2), ("weak", 3)])
def test_no_pair_below_the_chosen_level_is_shown(session, platform, manager, floor, shown):
    for topic in TOPICS[:3]:
        make_pair(session, platform, topic)
    recommend(session, platform)
    rows = session.exec(select(Recommendation).where(Recommendation.manager_id == manager.id)).all()
    for row, level in zip(rows, ("strong", "fair", "weak"), strict=True):
        row.level = level
        session.add(row)
    session.flush()
    subscriptions.set_preferences(session, manager, Frequency.WEEKLY, floor=floor, now=MONDAY)

    digest = compose(session, platform, manager)

    assert len(session.exec(select(DigestItem).where(DigestItem.digest_id == digest.id)).all()) == shown


def test_a_member_gets_the_matches_of_its_own_listings_and_of_no_other(session, platform, drain, mailer):
    member = make_account(session)
    make_side(session, platform, TOPICS[0], Kind.DEMAND, owner=member)
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    make_pair(session, platform, TOPICS[1])
    recommend(session, platform)

    compose(session, platform, member)

    mail = session.exec(select(OutboxMessage).where(OutboxMessage.recipient == member.email)).one()
    assert mail.subject.startswith("[技桥] 本周 1 条匹配：")
    assert f"您发布的需求《{TOPICS[0]}》有了新的匹配" in mail.body_text
    assert TOPICS[1] not in mail.body_text
    assert "/digest/reply/" not in mail.body_text
    assert "退订周报" in mail.body_text


def test_a_member_is_told_nothing_that_a_card_hides(session, platform):
    member = make_account(session)
    make_side(session, platform, TOPICS[0], Kind.DEMAND, owner=member)
    hidden = make_side(session, platform, TOPICS[0], Kind.SUPPLY, is_anonymous=True)
    recommend(session, platform)

    compose(session, platform, member)

    mail = session.exec(select(OutboxMessage).where(OutboxMessage.recipient == member.email)).one()
    owner = session.get(Account, hidden.owner_id)
    assert session.get(Organisation, owner.organisation_id).name not in mail.body_text + mail.body_html


def test_a_member_without_a_published_listing_is_no_reader_of_an_edition(session, platform):
    bystander = make_account(session)
    make_pair(session, platform)

    due = service.open_edition(session, WEEK, now=MONDAY)

    assert bystander.id not in due
    assert len(due) == 2


def test_all_three_choices_are_made_on_one_page(client, session, manager):
    client.sign_in(manager)

    client.submit("/digest", {"frequency": "fortnightly", "floor": "strong", "paused_until": "2026-12-31"})
    page = client.get("/digest").text

    session.expire_all()
    kept = session.exec(select(DigestSubscription)).one()
    assert (kept.frequency, kept.floor, kept.paused_until) == (Frequency.FORTNIGHTLY, "strong", date(2026, 12, 31))
    assert 'value="2026-12-31"' in page
    assert session.exec(select(TrailEntry).where(TrailEntry.action == "digests.set_frequency")).one()


@pytest.mark.parametrize("day", ["2026-11-23", "2025-01-01", "2031-01-01", "明天", "2026-13-01"])
def test_a_pause_that_cannot_be_is_refused_beside_its_field_and_kept(client, session, manager, day):
    client.sign_in(manager)

    answer = client.submit("/digest", {"frequency": "weekly", "paused_until": day})

    assert answer.status_code == 422
    assert f'value="{day}"' in answer.text
    assert 'id="f-paused_until-error"' in answer.text
    assert session.exec(select(DigestSubscription)).first() is None


def test_the_link_in_a_mail_can_make_it_come_less_often_without_signing_in(client, session, manager):
    token = subscriptions.ensure_subscription(session, manager.id, now=MONDAY).token
    session.commit()

    answer = client.post(f"/digest/unsubscribe/{token}", data={"frequency": "four_weekly"})

    session.expire_all()
    assert "每四周一封" in answer.text
    assert session.exec(select(DigestSubscription)).one().frequency is Frequency.FOUR_WEEKLY


@pytest.mark.parametrize("view", ["desktop", "phone", "dark", "text", "nonsense"])
def test_the_next_digest_can_be_looked_at_as_it_will_be_seen(client, session, platform, manager, view):
    make_pair(session, platform)
    recommend(session, platform)
    client.sign_in(manager)

    page, body = client.get(f"/digest?view={view}").text, client.get(f"/digest/preview/body?view={view}").text

    assert ("<iframe" in page) == (view != "text")
    assert ("@media all" in body) == (view == "dark")


def test_a_digest_can_be_sent_to_oneself_and_stays_new(client, session, platform, manager, drain, mailer):
    make_pair(session, platform)
    recommend(session, platform)
    client.sign_in(manager)

    for _ in range(2):
        client.submit("/digest/try")
    drain()

    (mail,) = [one for one in mailer.sent if manager.email in one["To"]]
    assert "本周 1 条推荐" in mail["Subject"]
    assert session.exec(select(Digest)).all() == []
    assert compose(session, platform, manager).skip_reason is None
