"""`jiqiao check`: every invariant, from a shell."""

import typer

from backend.check.invariants import CHECKS, find_breaches
from backend.cli_platform import FAILED, open_platform, plain_failures
from backend.migrations.upgrade import differences, is_current


def register(app: typer.Typer) -> None:
    """Add the command of this part."""
    app.command(name="check")(check)


def check() -> None:
    """检查表、发件箱和索引之间的全部约束；有问题时列出并以 1 退出。"""
    with plain_failures():
        platform = open_platform()
        if not is_current(platform.database):
            typer.echo("数据库结构不是最新的，请先运行 jiqiao migrate。", err=True)
            raise typer.Exit(FAILED)
        breaches = [f"表结构与程序不一致：{difference}" for difference in differences(platform.database)]
        with platform.reading() as session:
            breaches += find_breaches(session, platform)
    for breach in breaches:
        typer.echo(breach)
    if breaches:
        typer.echo(f"共 {len(breaches)} 处问题。", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{len(CHECKS)} 组约束全部成立。")
