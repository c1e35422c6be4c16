import pytest
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
