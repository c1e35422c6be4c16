"""The window on development mail, and the outbox of administrators."""

from dataclasses import replace

import pytest
from factories import make_account
from mailing import compose_sample

from backend.accounts.tables import Role
from backend.mail import outbox
from backend.mail.tables import DeliveryState
from backend.settings import MailerKind


@pytest.fixture
def sent(session, now):
    """Post one mail whose text nobody but its recipient should read."""
    return outbox.post(session, compose_sample(reason="只给收件人看的话"), key="sample:1", now=now)


@pytest.fixture
def administrator(session):
    return make_account(session, role=Role.ADMINISTRATOR)


def test_a_posted_mail_leaves_when_the_queue_is_drained(session, sent, drain, mailer):
    done = drain()

    session.refresh(sent)
    assert done == ["mail.deliver"]
    assert [mail["Subject"] for mail in mailer.sent] == [sent.subject]
    assert sent.state is DeliveryState.ACCEPTED


def test_the_development_list_shows_mails_newest_first(session, sent, client, clock):
    outbox.post(session, compose_sample(title="后来的一条"), key="sample:2", now=clock.advance(minutes=1))

    page = client.get("/dev/mail").text

    assert page.index("后来的一条") < page.index(sent.subject)


def test_the_development_list_without_mail_says_what_to_do(client):
    page = client.get("/dev/mail")

    assert page.status_code == 200
    assert "还没有邮件" in page.text


def test_one_mail_is_shown_with_its_text_and_its_body_in_a_frame(sent, client):
    page = client.get(f"/dev/mail/{sent.id}").text

    assert f'src="/dev/mail/{sent.id}/body"' in page
    assert "只给收件人看的话" in page
    assert "李明 &lt;li.ming@example.com&gt;" in page


def test_the_body_may_style_itself_and_nothing_else(sent, client):
    answer = client.get(f"/dev/mail/{sent.id}/body")

    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
    )
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert '<base target="_top">' in answer.text
    assert "_blank" not in answer.text


@pytest.mark.parametrize("path", ["/dev/mail", "/dev/mail/{id}", "/dev/mail/{id}/body"])
def test_nobody_reads_mails_where_they_are_really_sent(sent, client, platform, path):
    settings = platform.settings.model_copy(update={"mailer": MailerKind.SMTP})
    client.app.state.platform = replace(platform, settings=settings)

    answer = client.get(path.format(id=sent.id))

    assert answer.status_code == 404
    assert "只给收件人看的话" not in answer.text


def test_an_unknown_mail_is_not_found(client):
    assert client.get("/dev/mail/00000000-0000-0000-0000-000000000001").status_code == 404
    assert client.get("/dev/mail/nonsense/body").status_code == 404


def test_an_administrator_sees_states_and_counts_but_no_content(sent, client, administrator):
    client.sign_in(administrator)

    page = client.get("/admin/mail").text

    assert sent.subject in page
    assert all(state.label in page for state in DeliveryState)
    assert "只给收件人看的话" not in page


def test_a_state_narrows_the_outbox(sent, client, administrator):
    client.sign_in(administrator)

    assert sent.subject in client.get("/admin/mail?state=pending").text
    assert sent.subject not in client.get("/admin/mail?state=rejected").text
    assert "没有这种状态的邮件" in client.get("/admin/mail?state=rejected").text
    assert sent.subject in client.get("/admin/mail?state=nonsense&page=-1").text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_see_the_outbox(session, client, role):
    client.sign_in(make_account(session, role=role))

    assert client.get("/admin/mail").status_code == 403


def test_an_administrator_tries_a_deferred_mail_again(session, sent, client, administrator, queued, clock):
    sent.state, sent.next_try_at = DeliveryState.DEFERRED, clock.advance(hours=3)
    session.add(sent)
    session.flush()
    client.sign_in(administrator)

    page = client.submit(f"/admin/mail/{sent.id}/retry")

    session.refresh(sent)
    assert page.status_code == 200
    assert "已重新排队" in page.text
    assert sent.state is DeliveryState.PENDING
    assert queued()[-1] == ("mail.deliver", {"outbox_id": str(sent.id)})


def test_a_mail_on_its_way_cannot_be_pushed(sent, client, administrator):
    client.sign_in(administrator)

    answer = client.submit(f"/admin/mail/{sent.id}/retry")

    assert answer.status_code == 409
    assert "待发送" in answer.text


def test_trying_again_needs_the_form_of_our_own_page(sent, client, administrator):
    client.sign_in(administrator)

    assert client.post(f"/admin/mail/{sent.id}/retry").status_code == 403
