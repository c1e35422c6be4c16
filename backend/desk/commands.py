"""`jiqiao recommend`: renew what is recommended to technology managers, now."""

from typing import Annotated

import typer

from backend.cli_platform import open_platform, plain_failures
from backend.desk import runs


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    app.command(name="recommend")(recommend)


def recommend(
    everything: Annotated[bool, typer.Option("--all", help="不用以前的判断，全部重新匹配")] = False,
) -> None:
    """为每位技术经理人更新推荐。"""
    with plain_failures():
        made = runs.recommend_everyone(open_platform(), everything=everything)
    typer.echo(f"新增 {made} 条推荐。")
