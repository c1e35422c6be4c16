"""`jiqiao seed`: bring the demonstration market in."""

import subprocess
import sys

import typer
from sqlalchemy.engine import Engine
from sqlmodel import select

from backend.accounts.tables import Account
from backend.cli_platform import open_platform, plain_failures
from backend.database import reading
from backend.desk import runs
from backend.platform import Platform
from seeds.demonstration import DemonstrationAccount, load_market
from seeds.pipeline import load_pipeline


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    app.command()(seed)


def seed() -> None:
    """装入示范市场：六个领域 240 条成果与需求、36 家虚构单位、每种角色一个账号、技术经理人八十天的接洽。可重复执行。"""
    with plain_failures():
        _load(open_platform())


def seed_if_empty(engine: Engine) -> None:
    """Bring the market in when nobody has an account yet, in a process of its own."""
    with reading(engine) as session:
        is_empty = session.exec(select(Account.id).limit(1)).first() is None
    if not is_empty:
        typer.echo("示范数据已在。忘了密码：在登录页选择“忘记密码”，邮件显示在 /dev/mail。")
    elif subprocess.run([sys.executable, "-m", "backend.cli", "seed"], check=False).returncode:
        raise typer.Exit(1)


def _load(platform: Platform) -> None:
    typer.echo("正在装入示范市场……")
    made = load_market(platform)
    with platform.reading() as session:
        count = platform.index.rebuild(session)
    cases = load_pipeline(platform)
    with platform.transaction() as session:
        runs.recommend_to_all(session, platform=platform)
    typer.echo(f"已装入并建立索引：{count} 条；示范接洽 {cases} 次。")
    if made:
        _print_accounts(made)


def _print_accounts(accounts: list[DemonstrationAccount]) -> None:
    typer.echo("\n登录账号（密码只显示这一次，请记下）：")
    for account in accounts:
        typer.echo(f"  {account.role.label:<6}\t{account.email:<24}\t{account.password}")
    typer.echo("")
