"""`jiqiao bench recommend`, `bench desk`, `bench races`: what the desk is measured by."""

import json
from typing import Annotated, Any

import typer

from backend.bench.desk import measure_queue_page, measure_races
from backend.bench.recommending import measure_recommending
from backend.cli_platform import bench_group

Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    bench = bench_group(app)
    bench.command(name="recommend")(bench_recommend)
    bench.command(name="desk")(bench_desk)
    bench.command(name="races")(bench_races)


def bench_recommend(
    managers: Annotated[int, typer.Option(min=1, help="多少位技术经理人")] = 10_000,
    listings: Annotated[int, typer.Option(min=1, help="多少条新信息")] = 5_000,
    dimension: Annotated[int, typer.Option(min=1, help="向量的维数")] = 256,
    top_k: Annotated[int, typer.Option(min=1, help="每位取前几条")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="轮流测几次，取中位数")] = 7,
    seed: Annotated[int, typer.Option(help="随机数种子")] = 2026,
    as_json: Json = False,
) -> None:
    """为全体技术经理人批量找最近的信息，与 faiss.knn 在同一次运行中比较。"""
    found = measure_recommending(
        managers=managers, listings=listings, dimension=dimension, top_k=top_k, rounds=rounds, seed=seed
    )
    _print(found, as_json=as_json)


def bench_desk(
    listings: Annotated[int, typer.Option(min=2, help="多少条信息")] = 100_000,
    recommendations: Annotated[int, typer.Option(min=1, help="多少条待处理的推荐")] = 1_000,
    rounds: Annotated[int, typer.Option(min=1, help="打开几次工作台")] = 20,
    seed: Annotated[int, typer.Option(help="随机数种子")] = 2026,
    as_json: Json = False,
) -> None:
    """测量打开工作台一页所用的服务器 CPU 时间。"""
    found = measure_queue_page(listings=listings, recommendations=recommendations, rounds=rounds, seed=seed)
    _print(found, as_json=as_json)


def bench_races(
    rounds: Annotated[int, typer.Option(min=1, help="多少轮")] = 500,
    clients: Annotated[int, typer.Option(min=2, help="每轮多少人同时接洽")] = 20,
    database_url: Annotated[str, typer.Option(help="在哪个空数据库上测；不填就用临时的 SQLite")] = "",
    as_json: Json = False,
) -> None:
    """让许多技术经理人同时接洽同一对：每轮只能有一人成功，其余得到说明。"""
    _print(measure_races(rounds=rounds, clients=clients, database_url=database_url), as_json=as_json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        typer.echo(f"{name:<24}{value}")
