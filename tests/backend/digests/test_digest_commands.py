"""`jiqiao recommend` and `jiqiao digest` on a database of their own, as an administrator runs them."""

import gc
import warnings

import pytest
from recommending import CANARIES, make_manager, make_pair
from sqlmodel import Session, select
from typer.testing import CliRunner

from backend.assembly import build_platform
from backend.cli import app
from backend.mail.tables import OutboxMessage
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings


@pytest.fixture
def shell(new_database, tmp_path, monkeypatch):
    """Give a function that runs a command against a migrated database, and that database's platform."""
    monkeypatch.setenv("DATABASE_URL", new_database())
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    platform = build_platform(Settings(_env_file=None))
    upgrade_database(platform.database)

    def run(*arguments: str):
        done = CliRunner().invoke(app, list(arguments))
        # A command leaves its connections to the end of its process; here the process goes on.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        return done

    yield run, platform
    platform.database.dispose()


def test_a_week_is_recommended_composed_previewed_and_composed_again_without_a_second_mail(shell):
    run, platform = shell
    with platform.transaction() as session:
        manager, _ = make_manager(session), make_manager(session)
        make_pair(session, platform)

    recommended = run("recommend")
    preview = run("digest", "preview", "--week", "2026-W48", "--account", manager.email)
    as_html = run("digest", "preview", "--week", "2026-W48", "--account", manager.email, "--html")
    runs = [run("digest", "run", "--week", "2026-W48") for _ in range(2)]
    afterwards = run("digest", "preview", "--week", "2026-W49", "--account", manager.email)

    assert recommended.output == "新增 2 条推荐。\n"
    assert "Subject: [技桥] 本周 1 条推荐：" in preview.output
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in preview.output
    assert as_html.output.startswith("<!DOCTYPE html>")
    assert not [canary for canary in CANARIES if canary in preview.output + as_html.output]
    assert [one.output for one in runs] == ["2026-W48：应处理 4 人，已放入发件箱 4 封，未发 0 人。\n"] * 2
    assert afterwards.output == "2026-W49：不会发送，本周没有新的推荐。\n"
    with Session(platform.database) as session:
        assert len(session.exec(select(OutboxMessage).where(OutboxMessage.category == "digest")).all()) == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--week", "2026-W54"], "没有“2026-W54”这一周"),
        (["preview", "--week", "2026-W48", "--account", "nobody@example.com"], "没有 nobody@example.com 这个账号"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(shell, arguments, sentence):
    run, _ = shell

    done = run("digest", *arguments)

    assert done.exit_code == 1
    assert sentence in done.output
