"""Running the digest: every reader of an edition is in exactly one place, whatever became of the mail."""

import re

import pytest
from factories import MONDAY, make_account
from recommending import TOPICS, make_manager, make_pair, recommend
from sqlmodel import select

from backend.accounts.tables import Account, Role, TrailEntry
from backend.digests import operations, service, subscriptions
from backend.digests.message import CATEGORY
from backend.digests.tables import Frequency
from backend.digests.week import Week
from backend.mail import switch
from backend.mail.tables import AddressRecord, Bounce, BounceKind, DeliveryState, OutboxMessage

WEEK = Week(2026, 48)


@pytest.fixture
def managers(session, platform):
    """Keep eight managers who are all recommended one pair, whose owners may not read."""
    managers = [make_manager(session) for _ in range(8)]
    for listing in make_pair(session, platform, TOPICS[0]):
        owner = session.get(Account, listing.owner_id)
        owner.suspended_at = MONDAY
        session.add(owner)
    recommend(session, platform)
    return managers


@pytest.fixture
def administrator(session):
    return make_account(session, role=Role.ADMINISTRATOR)


def compose_all(session, platform):
    for account_id in service.open_edition(session, WEEK, now=MONDAY):
        service.compose_digest(session, account_id, WEEK, platform=platform)
    session.commit()


def mails(session) -> list[OutboxMessage]:
    return list(session.exec(select(OutboxMessage).where(OutboxMessage.category == CATEGORY)))


def test_before_anything_is_composed_everybody_is_waited_for(session, managers):
    service.open_edition(session, WEEK, now=MONDAY)

    tally = operations.tally_edition(session, WEEK.key)

    assert (tally.eligible, tally.pending, tally.adds_up) == (8, 8, True)


def test_every_reader_is_in_exactly_one_place_in_every_state(session, platform, managers):
    subscriptions.set_frequency(session, managers[0], Frequency.OFF, now=MONDAY)
    compose_all(session, platform)
    for mail, state in zip(mails(session), [*DeliveryState][1:], strict=True):
        mail.state, mail.reply = state, "收件人已退订" if state is DeliveryState.SUPPRESSED else ""
        session.add(mail)
    session.flush()

    tally = operations.tally_edition(session, WEEK.key)

    assert tally.eligible == 8
    assert (tally.accepted, tally.deferred, tally.rejected, tally.unknown, tally.pending) == (1, 1, 1, 1, 2)
    assert tally.suppressed == {"已退订": 1, "收件人已退订": 1}
    assert tally.adds_up


def test_an_account_that_comes_twice_would_be_seen(session, platform, managers):
    compose_all(session, platform)

    wrong = operations.Tally(eligible=8, accepted=9)

    assert not wrong.adds_up


def test_a_paused_digest_stays_whole_in_the_outbox_and_leaves_when_let_go_on(
    session, platform, managers, drain, mailer, clock
):
    switch.pause(session, CATEGORY, by="命令行", now=MONDAY)
    compose_all(session, platform)
    drain()
    waiting = {mail.state for mail in mails(session)}
    clock.advance(hours=100)

    switch.resume(session, CATEGORY, by="命令行", now=clock())
    session.commit()
    drain()

    session.expire_all()
    assert waiting == {DeliveryState.PENDING}
    assert {mail.state for mail in mails(session)} == {DeliveryState.ACCEPTED}
    assert len([one for one in mailer.sent if "本周" in one["Subject"]]) == 8


def test_the_switch_is_thrown_on_the_page_and_stands_in_the_trail(client, session, administrator, managers):
    client.sign_in(administrator)

    client.submit("/admin/digest/pause")
    paused = client.get("/admin/digest").text
    was = switch.is_paused(session, CATEGORY)
    client.submit("/admin/digest/resume")

    assert was
    assert "周报已暂停" in paused
    assert not switch.is_paused(session, CATEGORY)
    actions = [entry.action for entry in session.exec(select(TrailEntry).order_by(TrailEntry.id))]
    assert [action for action in actions if action.startswith("mail.")] == ["mail.pause", "mail.resume"]


def test_the_page_of_an_edition_shows_the_sum_the_reasons_and_the_domains(
    client, session, platform, administrator, managers, drain
):
    subscriptions.set_frequency(session, managers[0], Frequency.OFF, now=MONDAY)
    compose_all(session, platform)
    drain()
    client.sign_in(administrator)

    listed, page = client.get("/admin/digest").text, client.get("/admin/digest/editions/2026-W48").text

    assert "/admin/digest/editions/2026-W48" in listed
    assert "应发 8 ＝ 已接收 7 ＋ 待重试 0 ＋ 被拒收 0 ＋ 结果不明 0 ＋ 在等 0 ＋ 未发 1" in page
    assert "已退订" in page
    assert "example.com" in page
    assert "合计不符" not in page


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
@pytest.mark.parametrize("path", ["/admin/digest", "/admin/digest/preview", "/admin/bounces"])
def test_only_administrators_run_the_digest(client, session, role, path):
    client.sign_in(make_account(session, role=role))

    assert client.get(path).status_code == 403


def test_a_test_mail_goes_to_whoever_asks(client, session, administrator, drain, mailer):
    client.sign_in(administrator)

    client.submit("/admin/digest/test")
    drain()

    assert administrator.email in mailer.sent[-1]["To"]
    assert session.exec(select(TrailEntry).where(TrailEntry.action == "mail.send_test")).one()


@pytest.mark.parametrize("view", ["desktop", "phone", "dark", "text"])
def test_an_administrator_looks_at_anybodys_next_digest_and_changes_nothing(
    client, session, administrator, managers, view
):
    client.sign_in(administrator)

    page = client.get(f"/admin/digest/preview?account={managers[0].email}&view={view}")
    body = client.get(f"/admin/digest/preview/body?account={managers[0].email}")
    unknown = client.get("/admin/digest/preview?account=nobody@example.com")

    assert (page.status_code, body.status_code, unknown.status_code) == (200, 200, 404)
    assert "本周 1 条推荐" in page.text
    assert mails(session) == []


def test_what_an_administrator_sees_holds_no_link_that_acts_for_the_reader(client, session, administrator, managers):
    token = subscriptions.ensure_subscription(session, managers[0].id, now=MONDAY).token
    session.commit()
    client.sign_in(administrator)

    shown = client.get(f"/admin/digest/preview?account={managers[0].email}&view=text").text
    shown += client.get(f"/admin/digest/preview/body?account={managers[0].email}").text

    assert token not in shown
    assert set(re.findall(r"/digest/(?:reply|unsubscribe)/([\w-]+)", shown)) == {"preview"}


def test_bounces_are_listed_and_an_address_is_let_back_in(client, session, platform, administrator, managers, drain):
    compose_all(session, platform)
    drain()
    mail = mails(session)[0]
    session.add(
        Bounce(
            outbox_id=mail.id,
            address=mail.recipient,
            kind=BounceKind.HARD,
            status="5.1.1",
            text="no",
            bounced_at=MONDAY,
        )
    )
    session.add(AddressRecord(address=mail.recipient, suppressed_at=MONDAY, reason="30 天内 3 次退信：地址无效"))
    session.commit()
    client.sign_in(administrator)

    before = client.get("/admin/bounces").text
    client.submit("/admin/bounces/forgive", {"address": mail.recipient})
    after = client.get("/admin/bounces").text

    assert "30 天内 3 次退信：地址无效" in before
    assert "5.1.1" in before
    assert "没有停发的地址" in after
    assert session.exec(select(TrailEntry).where(TrailEntry.action == "mail.forgive")).one()


def test_a_reader_whose_address_bounces_gets_no_digest_and_the_edition_says_so(session, platform, managers):
    session.add(AddressRecord(address=managers[0].email, suppressed_at=MONDAY, reason="x"))
    compose_all(session, platform)

    tally = operations.tally_edition(session, WEEK.key)

    assert tally.suppressed == {"地址多次退信": 1}
    assert tally.adds_up
