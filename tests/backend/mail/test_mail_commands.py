import pytest
from imap import Mailbox, running_imap
from typer.testing import CliRunner

from backend.database import build_engine
from backend.mail.commands import app
from backend.migrations.upgrade import upgrade_database


@pytest.fixture
def shell(monkeypatch, new_database, tmp_path):
    """Give a shell whose settings name a fresh database and the folder mailer."""
    url = new_database()
    engine = build_engine(url)
    upgrade_database(engine)
    engine.dispose()
    for name, value in {"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "MAILER": "folder"}.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_a_test_mail_is_sent_at_once_and_listed(shell, tmp_path):
    sent = shell("send-test", "li@example.com")

    listed = shell("list")
    assert sent.exit_code == 0, sent.output
    assert "对方已接收" in sent.output
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    assert "技桥试验邮件" in listed.output
    assert "对方已接收 1" in listed.output


def test_a_test_mail_to_no_address_is_refused_in_one_sentence(shell):
    answer = shell("send-test", "nobody")

    assert answer.exit_code == 1
    assert "不是可以寄信的地址" in answer.output


def test_an_empty_outbox_says_so(shell):
    assert shell("list").output.strip() == "发件箱是空的。"


def test_a_category_is_paused_and_let_go_on_from_the_shell(shell):
    outputs = [shell(*words).output.strip() for words in (("pause",), ("pause", "digest"), ("resume",), ("resume",))]

    assert outputs == ["周报已暂停。", "周报原来就是这样。", "周报已恢复。", "周报原来就是这样。"]


def test_a_category_that_is_none_is_refused_in_one_sentence(shell):
    answer = shell("pause", "spam")

    assert answer.exit_code == 1
    assert "没有“spam”这一类邮件" in answer.output


def test_bounces_without_a_mailbox_are_refused_in_one_sentence(shell):
    answer = shell("receive")

    assert answer.exit_code == 1
    assert "没有设置退信邮箱" in answer.output


def test_bounces_are_read_from_the_mailbox_of_the_settings(shell, monkeypatch):
    with running_imap(Mailbox([b"Subject: hello\r\n\r\nnot a bounce\r\n"])) as box:
        settings = {"HOST": "127.0.0.1", "PORT": str(box.port), "USERNAME": "b", "PASSWORD": "right", "TLS": "false"}
        for name, value in settings.items():
            monkeypatch.setenv(f"BOUNCE_IMAP_{name}", value)

        first, second = shell("receive"), shell("receive")

    assert first.output.strip().splitlines()[-1] == "伪造或无主 1"
    assert second.output.strip() == "没有新的退信。"


@pytest.mark.parametrize("endpoint", ["nonsense", "127.0.0.1:0", ":99999"])
def test_an_endpoint_that_is_none_is_refused_in_one_sentence(shell, endpoint):
    answer = shell("receive", "--listen", endpoint)

    assert answer.exit_code == 1
    assert "不是地址和端口" in answer.output
