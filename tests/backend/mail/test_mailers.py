import io
from email import message_from_bytes
from email.policy import SMTP

import pytest

from backend.mail.mailer import ConsoleMailer, FolderMailer, SmtpMailer, build_mailer
from backend.mail.tables import DeliveryState
from backend.settings import MailerKind, SmtpSecurity


def test_the_folder_mailer_keeps_a_mail_as_one_file(office, posted):
    office.mailer = build_mailer(office.settings)

    sent = office.deliver(posted.id)

    [kept] = list(office.settings.mail_dir.iterdir())
    mail = message_from_bytes(kept.read_bytes(), policy=SMTP)
    assert isinstance(office.mailer, FolderMailer)
    assert sent.state is DeliveryState.ACCEPTED
    assert kept.name == f"{posted.message_id}.eml"
    assert mail["Subject"] == posted.subject


def test_a_mail_sent_again_replaces_its_file(tmp_path):
    mailer = FolderMailer(tmp_path / "mail")

    for body in (b"one", b"two"):
        mailer.send(b"Message-ID: <a@b>\r\n\r\n" + body, "a@b.com", "c@d.com", lambda: None)

    [kept] = list((tmp_path / "mail").iterdir())
    assert kept.read_bytes().endswith(b"two")


def test_the_console_mailer_shows_subject_and_text(office, posted):
    stream = io.StringIO()
    office.mailer = ConsoleMailer(stream)

    sent = office.deliver(posted.id)

    assert sent.state is DeliveryState.ACCEPTED
    assert posted.subject in stream.getvalue()
    assert "请补充年处理量" in stream.getvalue()
    assert "<html" not in stream.getvalue()


def test_settings_choose_the_mailer(office):
    office.settings.mailer = MailerKind.SMTP
    office.settings.smtp_host = "smtp.example.com"
    office.settings.smtp_security = SmtpSecurity.STARTTLS

    mailer = build_mailer(office.settings)

    assert mailer == SmtpMailer(
        "smtp.example.com", 25, SmtpSecurity.STARTTLS, local_name="[127.0.0.1]", timeout_seconds=5
    )
    office.settings.mailer = MailerKind.CONSOLE
    assert isinstance(build_mailer(office.settings), ConsoleMailer)


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://jiqiao.example.com", "jiqiao.example.com"),
        ("http://[::1]:8000", "[IPv6:::1]"),
        ("http://127.0.0.1:8000", "[127.0.0.1]"),
    ],
)
def test_we_introduce_ourselves_by_our_own_name(office, base_url, name):
    office.settings.mailer = MailerKind.SMTP
    office.settings.base_url = base_url

    assert build_mailer(office.settings).local_name == name
