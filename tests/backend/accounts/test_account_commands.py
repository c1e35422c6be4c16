import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from backend.accounts.commands import app
from backend.database import build_engine
from backend.migrations.upgrade import upgrade_database

Shell = Callable[..., Result]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, new_database: Callable[[], str]) -> Shell:
    """Give a shell with a migrated database of its own, as its environment says."""
    url = new_database()
    engine = build_engine(url)
    upgrade_database(engine)
    engine.dispose()
    for name, value in {"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "ENVIRONMENT": "development"}.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, words)


def accounts_of(shell: Any) -> list[str]:
    return [line for line in shell("list").stdout.splitlines() if "@" in line]


def create(shell: Shell, email: str = "wang@example.com", *more: str) -> Result:
    return shell("create", "--email", email, "--name", "王晓明", *more)


def test_an_account_is_made_with_a_random_password_that_is_printed_once(shell: Shell):
    made = create(shell, "wang@example.com", "--role", "administrator")

    password = re.search(r"^password\t(\S{16})$", made.stdout, re.MULTILINE)
    assert made.exit_code == 0
    assert password is not None
    assert accounts_of(shell) == ["wang@example.com\tadministrator\tactive\t-\t王晓明"]
    assert password.group(1) not in shell("list").output


def test_a_given_password_is_not_printed(shell: Shell):
    made = create(shell, "wang@example.com", "--password", "the quiet bridge hums")

    assert made.exit_code == 0
    assert "the quiet bridge hums" not in made.output


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--password", "too short"], "密码太短"),
        (["--organisation", "没有这个院"], "名单里没有“没有这个院”"),
    ],
)
def test_what_the_rules_refuse_is_said_in_one_sentence(shell: Shell, more: list[str], why: str):
    refused = create(shell, "wang@example.com", *more)

    assert refused.exit_code == 1
    assert why in refused.stderr
    assert accounts_of(shell) == []


def test_no_address_gets_two_accounts(shell: Shell):
    create(shell)

    again = create(shell, "WANG@example.com")

    assert again.exit_code == 1
    assert "已有账号" in again.stderr


def test_a_role_is_given_and_the_last_administrator_kept(shell: Shell):
    create(shell)

    assert shell("role", "wang@example.com", "administrator").exit_code == 0
    last = shell("role", "wang@example.com", "member")

    assert last.exit_code == 1
    assert "最后一位管理员" in last.stderr
    assert accounts_of(shell)[0].split("\t")[1] == "administrator"


def test_an_account_is_suspended_with_a_reason(shell: Shell):
    create(shell)

    done = shell("suspend", "wang@example.com", "--reason", "资料不实。")

    assert done.exit_code == 0
    assert accounts_of(shell)[0].split("\t")[2] == "suspended"


def test_an_account_that_does_not_exist_is_named(shell: Shell):
    for words in (("role", "li@example.com", "manager"), ("suspend", "li@example.com", "--reason", "因为")):
        refused = shell(*words)
        assert refused.exit_code == 1
        assert "没有 li@example.com 这个账号" in refused.stderr
