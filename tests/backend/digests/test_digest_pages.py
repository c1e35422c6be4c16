"""The digest's pages, and the way out of it that needs no signing in."""

import random
import re

import pytest
from factories import MONDAY, make_account
from recommending import make_manager, make_pair, recommend
from sqlmodel import select

from backend.accounts.tables import Role, TrailEntry
from backend.digests import service, subscriptions
from backend.digests.tables import DigestSubscription, Frequency
from backend.digests.week import Week

WEEK = Week(2026, 48)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def manager(session, platform):
    manager = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    return manager


@pytest.fixture
def token(session, manager) -> str:
    token = subscriptions.ensure_subscription(session, manager.id, now=MONDAY).token
    session.commit()
    return token


def frequency(session) -> Frequency:
    session.expire_all()
    return session.exec(select(DigestSubscription)).one().frequency


def test_a_token_has_at_least_128_bits_and_no_two_are_alike(session):
    tokens = {subscriptions.ensure_subscription(session, make_manager(session).id, now=MONDAY).token for _ in range(5)}

    assert len(tokens) == 5
    assert all(len(token) * 6 >= 128 for token in tokens)


def test_looking_at_the_link_changes_nothing(client, session, token):
    page = client.get(f"/digest/unsubscribe/{token}")
    again = client.head(f"/digest/unsubscribe/{token}")

    assert page.status_code == 200
    assert again.status_code in {200, 405}
    assert "退订周报" in page.text
    assert "<script" not in page.text
    assert frequency(session) is Frequency.WEEKLY


def test_one_click_unsubscribes_at_once_without_cookie_login_or_form_token(client, session, token):
    client.cookies.clear()

    answer = client.post(f"/digest/unsubscribe/{token}", data=ONE_CLICK, follow_redirects=False)

    assert answer.status_code == 200
    assert "已退订" in answer.text
    assert frequency(session) is Frequency.OFF


def test_hundreds_of_clicks_without_a_cookie_stop_each_reader_once_and_touch_nobody_else(client, session, token):
    tokens = [subscriptions.ensure_subscription(session, make_manager(session).id, now=MONDAY).token for _ in range(19)]
    session.commit()
    clicks = [one for one in [*tokens, "a" * 32] for _ in range(10)]
    random.Random(53).shuffle(clicks)
    client.cookies.clear()

    answers = {
        (answer.status_code, "已退订" in answer.text)
        for click in clicks
        for answer in [client.post(f"/digest/unsubscribe/{click}", data=ONE_CLICK, headers={"Cookie": ""})]
    }

    session.expire_all()
    entries = session.exec(select(TrailEntry.subject).where(TrailEntry.action == "digests.set_frequency")).all()
    kept = select(DigestSubscription.token).where(DigestSubscription.frequency != Frequency.OFF)
    assert len(clicks) == 200
    assert answers == {(200, True)}
    assert len(entries) == len(set(entries)) == 19
    assert session.exec(kept).all() == [token]


def test_a_mail_program_may_send_the_one_click_as_multipart(client, session, token):
    client.post(f"/digest/unsubscribe/{token}", files={"List-Unsubscribe": (None, "One-Click")})

    assert frequency(session) is Frequency.OFF


def test_a_post_that_does_not_ask_for_it_changes_nothing(client, session, token):
    answer = client.post(f"/digest/unsubscribe/{token}", data={"other": "1"})

    assert answer.status_code == 200
    assert frequency(session) is Frequency.WEEKLY


@pytest.mark.parametrize("unknown", ["x" * 32, "preview", "%00", "a" * 5000, "%F0%9F%98%80", "..%2f"])
def test_an_unknown_token_looks_like_any_other_and_reveals_nothing(client, session, token, manager, unknown):
    known = client.get(f"/digest/unsubscribe/{token}").text.replace(token, "")
    shown = client.get(f"/digest/unsubscribe/{unknown}")
    answer = client.post(f"/digest/unsubscribe/{unknown}", data=ONE_CLICK)

    if unknown != "..%2f":
        assert shown.status_code == answer.status_code == 200
        assert len(known) == pytest.approx(len(shown.text), abs=len(unknown) * 5 + 100)
    assert shown.status_code < 500
    assert answer.status_code < 500
    assert manager.email not in shown.text + answer.text + known
    assert frequency(session) is Frequency.WEEKLY


def test_the_button_on_the_page_does_what_a_mail_program_does(client, session, token):
    page = client.get(f"/digest/unsubscribe/{token}").text
    action = re.search(r'<form method="post" action="([^"]*/digest/unsubscribe/[^"]*)"', page)[1]
    name, value = re.search(r'name="(List-Unsubscribe)" value="([^"]*)"', page).groups()

    client.post(action, data={name: value})

    assert frequency(session) is Frequency.OFF


def test_a_manager_sees_the_next_digest_exactly_as_it_would_be_sent(client, session, platform, manager):
    client.sign_in(manager)
    message = service.preview(session, manager, WEEK, platform=platform)

    page, body = client.get("/digest"), client.get("/digest/preview/body")

    assert page.status_code == 200
    assert message.subject in page.text
    assert body.text == message.html
    assert "default-src 'none'" in body.headers["Content-Security-Policy"]


def test_past_digests_stay_as_they_were_written(client, session, platform, manager):
    digest = service.compose_digest(session, manager.id, WEEK, platform=platform)
    session.commit()
    client.sign_in(manager)

    listed, issue = client.get("/digest"), client.get("/digest/issues/2026-W48")
    body = client.get("/digest/issues/2026-W48/body")

    assert "2026 年第 48 周" in listed.text
    assert "下一期：2026 年第 49 周" in listed.text
    assert issue.status_code == 200
    assert body.status_code == 200
    assert digest.outbox_key is not None


def test_the_digest_of_another_manager_cannot_be_read(client, session, platform, manager):
    service.compose_digest(session, manager.id, WEEK, platform=platform)
    other = make_manager(session)
    session.commit()
    client.sign_in(other)

    for address in ("/digest/issues/2026-W48", "/digest/issues/2026-W48/body", "/digest/issues/nonsense"):
        assert client.get(address).status_code == 404


def test_the_frequency_is_chosen_on_the_page_and_can_be_chosen_back(client, session, manager):
    client.sign_in(manager)

    off = client.submit("/digest", {"frequency": "off"})
    was = frequency(session)
    on = client.submit("/digest", {"frequency": "weekly"})

    assert off.status_code == on.status_code == 200
    assert (was, frequency(session)) == (Frequency.OFF, Frequency.WEEKLY)


def test_an_unknown_frequency_is_refused_beside_the_field(client, session, manager):
    client.sign_in(manager)

    answer = client.submit("/digest", {"frequency": "hourly"})

    assert answer.status_code == 422
    assert "请选择接收方式" in answer.text
    assert session.exec(select(DigestSubscription)).first() is None


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_only_managers_and_members_have_a_digest(client, session, role):
    other = make_account(session, role=role)
    session.commit()

    assert "/login" in str(client.get("/digest").url)
    client.sign_in(other)
    assert client.get("/digest").status_code == 403
