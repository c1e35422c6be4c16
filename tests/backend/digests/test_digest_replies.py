"""Answers from the mail: a link opened changes nothing, its button decides as on the desk, and none can be forged."""

import re
from datetime import date

import pytest
from factories import MONDAY
from pydantic import SecretStr
from recommending import make_manager, make_pair, only_row, recommend
from sqlmodel import select

from backend.accounts.tables import TrailEntry
from backend.desk.tables import Case, DismissalReason, Progress
from backend.digests import service
from backend.digests.replies import Answer, reply_address
from backend.digests.week import Week
from backend.mail.tables import OutboxMessage
from backend.matching.tables import MatchFeedback, Verdict

WEEK = Week(2026, 48)


@pytest.fixture
def manager(session, platform):
    manager = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    return manager


@pytest.fixture
def links(session, platform, manager) -> dict[str, str]:
    service.compose_digest(session, manager.id, WEEK, platform=platform)
    session.commit()
    mail = session.exec(select(OutboxMessage).where(OutboxMessage.category == "digest")).one()
    found = re.findall(r"^(接洽|不合适|以后再说)：http://testserver(\S+)$", mail.body_text, re.MULTILINE)
    assert all(f"http://testserver{path}" in mail.body_html for _, path in found)
    return dict(found)


def row_of(session, manager):
    session.expire_all()
    return only_row(session, manager)


@pytest.mark.parametrize("label", ["接洽", "不合适", "以后再说"])
def test_opening_a_link_changes_nothing(client, session, manager, links, label):
    page = client.get(links[label])
    client.head(links[label])

    assert page.status_code == 200
    assert "打开这一页本身不会改变什么" in page.text
    assert "<script" not in page.text
    assert row_of(session, manager).progress is Progress.OPEN


def test_the_button_takes_the_pair_without_cookie_or_login(client, session, manager, links):
    client.cookies.clear()

    answer = client.post(links["接洽"])

    assert answer.status_code == 200
    assert "已开始接洽" in answer.text
    assert row_of(session, manager).progress is Progress.TAKEN
    assert session.exec(select(Case)).one().manager_id == manager.id
    entry = session.exec(select(TrailEntry).where(TrailEntry.action == "desk.take")).one()
    assert entry.actor_id == manager.id
    assert entry.source.startswith("邮件回信")


def test_a_pair_that_does_not_fit_is_put_away_with_its_reason_and_feeds_the_ranking(client, session, manager, links):
    without = client.post(links["不合适"])
    still_open = row_of(session, manager).progress

    client.post(links["不合适"], data={"reason": "money"})

    row = row_of(session, manager)
    assert (without.status_code, still_open) == (422, Progress.OPEN)
    assert "请选择一个不合适的理由" in without.text
    assert (row.progress, row.dismissal) == (Progress.DISMISSED, DismissalReason.MONEY)
    assert session.exec(select(MatchFeedback.verdict)).one() is Verdict.UNFIT


def test_a_pair_is_put_off_until_the_day_that_was_chosen(client, session, manager, links):
    assert client.post(links["以后再说"]).status_code == 422

    client.post(links["以后再说"], data={"days": "14"})

    row = row_of(session, manager)
    assert row.progress is Progress.SNOOZED
    assert (row.snoozed_until.date() - MONDAY.date()).days in {13, 14}


def test_answering_twice_is_answering_once(client, session, manager, links):
    answers = [client.post(links["接洽"]).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert len(session.exec(select(Case)).all()) == 1


@pytest.mark.parametrize("place", range(0, 46, 3))
def test_a_link_with_a_changed_letter_is_no_link(client, session, manager, links, place):
    head, token, answer = re.fullmatch(r"(/digest/reply/)([^/]+)(/\w+)", links["接洽"]).groups()
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    assert client.post(head + changed + answer).status_code == 404
    assert row_of(session, manager).progress is Progress.OPEN


@pytest.mark.parametrize("token", ["x", "a" * 46, "%00", "a" * 5000, "é"])
def test_nonsense_is_not_found(client, session, manager, token):
    assert client.get(f"/digest/reply/{token}/take").status_code in {404, 405}
    assert client.post(f"/digest/reply/{token}/take").status_code in {404, 405}


def test_a_link_is_good_for_more_than_400_days_and_then_no_more(client, session, platform, manager, links, clock):
    clock.advance(days=400)
    good = client.get(links["以后再说"]).status_code
    clock.advance(days=30)

    assert good == 200
    assert client.get(links["以后再说"]).status_code == 404


def test_a_link_of_another_secret_is_no_link(client, session, platform, manager):
    foreign = platform.settings.model_copy(update={"secret_key": SecretStr("another secret, just as long as this one")})
    foreign.__dict__.pop("signing_key", None)
    row = only_row(session, manager)

    address = reply_address(row.id, Answer.TAKE, until=date(2027, 12, 31), settings=foreign)

    assert client.post(address.removeprefix("http://testserver")).status_code == 404


def test_a_manager_who_is_no_longer_one_can_decide_nothing(client, session, manager, links):
    manager.suspended_at = MONDAY
    session.add(manager)
    session.commit()

    assert client.post(links["接洽"]).status_code == 403
    assert session.exec(select(Case)).all() == []


def test_a_seal_has_128_bits(links):
    token = links["接洽"].split("/")[3]

    assert len(token) * 6 >= (16 + 4 + 16) * 8
