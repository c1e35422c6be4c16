"""`jiqiao bench …`: the numbers that the project promises, measured on this machine, each with its seed and size."""

import json
from dataclasses import replace
from typing import Annotated, Any

import typer

from backend.bench import commands_desk, commands_matching
from backend.bench.digest_crash import Plan, run_plan
from backend.bench.enqueuers import run_enqueuers
from backend.bench.letters import run_letters
from backend.bench.market import temporary_database
from backend.bench.smtp_stage import Point
from backend.bench.victims import Nursery
from backend.cli_platform import FAILED, bench_group, set_up_logging
from backend.settings import Settings

LONG = Plan(recipients=2000, kills=200, kills_at_each_point=10, flips=40, speed=60, seed=1)
SHORT = Plan(recipients=24, kills=2, kills_at_each_point=1, flips=3, speed=240, seed=1)
SERVER_HELP = "在哪个 PostgreSQL 服务器上测，会新建并删除临时数据库；不填就用临时的 SQLite"
LONG_ENQUEUERS = {"kills": 100, "rounds": 50}
SHORT_ENQUEUERS = {"kills": 4, "rounds": 2}
# With so few recipients and every blow at the same point, a fault shows itself within a dozen blows.
CONTROL = Plan(
    recipients=2, kills=0, kills_at_each_point=5, flips=0, speed=900, seed=1, writes_late=True, points=(Point.DOT,)
)


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    bench = bench_group(app)
    bench.command("digest-crash")(digest_crash)
    bench.command("digest-letters")(digest_letters)
    for part in (commands_desk, commands_matching):
        part.register(app)


def digest_crash(
    short: Annotated[bool, typer.Option("--short", help="一分钟以内的小规模")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    recipients: Annotated[int, typer.Option(min=0, help="收件人数，0 为默认")] = 0,
    kills: Annotated[int, typer.Option(min=0, help="随机杀死次数，0 为默认")] = 0,
    database_url: Annotated[str, typer.Option(help=SERVER_HELP)] = "",
) -> None:
    """反复用 SIGKILL 杀死发送周报的进程，再清点收到的邮件：不漏、不重、不发给不该收的人；并做一次反向对照。"""
    set_up_logging(Settings.model_validate({"log_level": "ERROR"}))
    nursery = Nursery()
    base = SHORT if short else LONG
    plan = replace(base, seed=seed, recipients=recipients or base.recipients, kills=kills or base.kills)
    try:
        with temporary_database(database_url) as url:
            enqueued = run_enqueuers(seed=seed, database_url=url, **(SHORT_ENQUEUERS if short else LONG_ENQUEUERS))
        with temporary_database(database_url) as url:
            result = run_plan(plan, nursery, database_url=url)
        with temporary_database(database_url) as url:
            control = run_plan(replace(CONTROL, seed=seed), nursery, database_url=url)
    finally:
        nursery.close()
    control_fails = control.more_than_one_duplicate > 0
    data = {
        "database": "postgresql" if database_url else "sqlite",
        **result.as_data(),
        **enqueued.as_data(),
        "control_more_than_one_duplicate": control.more_than_one_duplicate,
        "control_fails_as_it_must": control_fails,
    }
    _print(data, as_json=as_json)
    if not (result.is_clean and enqueued.is_clean and control_fails):
        raise typer.Exit(FAILED)


def digest_letters(
    short: Annotated[bool, typer.Option("--short", help="几秒钟的小规模")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    digests: Annotated[int, typer.Option(min=0, help="周报封数，0 为默认")] = 0,
) -> None:
    """生成并排队几千封周报，计时；再逐封检查头部、RFC 2047、DKIM（另一套独立的验证）和恶意姓名。"""
    set_up_logging(Settings.model_validate({"log_level": "ERROR"}))
    size = {"digests": 60, "hostile": 60} if short else {"digests": 5000, "hostile": 200}
    letters = run_letters(digests=digests or size["digests"], hostile=size["hostile"], seed=seed)
    _print(letters.as_data(), as_json=as_json)
    if not letters.is_clean:
        raise typer.Exit(FAILED)


def _print(data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False))
        return
    for name, value in data.items():
        typer.echo(f"{name}\t{value}")
