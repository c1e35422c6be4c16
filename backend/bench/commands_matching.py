"""`jiqiao bench`: what is promised of duplicates, scripts and speed, measured."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.bench.duplicates import measure_duplicates
from backend.bench.matching import measure_matching
from backend.bench.script import measure_scripts
from backend.bench.texts import MeasuredListing, read_listings
from backend.cli_platform import bench_group, open_platform, plain_failures

SEED = 20231129
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Seed = Annotated[int, typer.Option(help="随机种子")]
Listings = Annotated[Path | None, typer.Option(help="JSONL 文件夹；不给就用示范市场")]


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    bench = bench_group(app)
    for command in (duplicates, script, match):
        bench.command()(command)


def read(folder: Path | None) -> list[MeasuredListing]:
    """Read the listings to measure on, or say in one sentence what is wrong with the folder."""
    with plain_failures():
        return read_listings(folder)


def duplicates(
    listings: Listings = None,
    planted: Annotated[int, typer.Option(min=10, help="埋入多少条改写的副本")] = 500,
    seed: Seed = SEED,
    as_json: Json = False,
) -> None:
    """埋入改写过的副本（换词、换序、换字体、删句、换数字写法），看能找回多少；再看真实条目中有多少被误报。"""
    platform = open_platform()
    report = measure_duplicates(
        read(listings), planted=planted, seed=seed, encoder=platform.encoder, table=platform.scorer.table
    )
    if as_json:
        print_json(asdict(report))
        return
    typer.echo(f"{report.listings} 条，埋入 {report.planted} 条副本，种子 {report.seed}")
    typer.echo(f"找回 {report.found_share:.1%}")
    for change, share in report.found_by_change.items():
        typer.echo(f"    {change}：{share:.1%}")
    typer.echo(
        f"被提示的原有条目 {report.flagged} 条（{report.flagged_share:.2%}），其中 {report.repeats} 条正文确有雷同；"
        f"误报 {report.false_alarm_share:.2%}"
    )


def script(
    listings: Listings = None,
    pairs: Annotated[int, typer.Option(min=1, help="多少对短语")] = 2000,
    seed: Seed = SEED,
    as_json: Json = False,
) -> None:
    """用繁体找简体、用简体找繁体：另一半是否在前十条之中。"""
    platform = open_platform()
    report = measure_scripts(read(listings), pairs=pairs, seed=seed, encoder=platform.encoder)
    if as_json:
        print_json(asdict(report))
        return
    typer.echo(f"{report.pairs} 对短语，种子 {report.seed}")
    typer.echo(
        f"繁体找简体 {report.traditional_finds_simplified:.2%}，简体找繁体 {report.simplified_finds_traditional:.2%}"
    )
    typer.echo(f"两个方向都找到 {report.both:.2%}；同一字体自找 {report.same_script:.2%}")
    for phrase in report.missed:
        typer.echo(f"    没有找到：{phrase}")


def match(
    listings: Listings = None,
    supplies: Annotated[int, typer.Option(min=100, help="多少条成果")] = 100_000,
    demands: Annotated[int, typer.Option(min=3, help="多少条需求")] = 60,
    seed: Seed = SEED,
    as_json: Json = False,
) -> None:
    """一条新需求与十万条成果匹配要用多少 CPU，与只用 BM25、与逐条计算比较。"""
    platform = open_platform()
    report = measure_matching(
        read(listings), supplies=supplies, demands=demands, seed=seed, encoder=platform.encoder, scorer=platform.scorer
    )
    if as_json:
        print_json(asdict(report))
        return
    typer.echo(f"{report.supplies:,} 条成果，{report.demands} 条需求，种子 {report.seed}；CPU 毫秒，取中位数")
    typer.echo(f"编码 {report.encoding_ms:.2f}，是分词器的 {report.encoding_to_tokenizer:.2f} 倍")
    typer.echo(f"完整匹配 {report.match_ms:.1f}（检索 {report.retrieval_ms:.1f}，评判 {report.judging_ms:.1f}）")
    typer.echo(f"BM25 {report.bm25_ms:.1f}，是它的 {report.match_to_bm25:.2f} 倍")
    typer.echo(f"逐条计算 {report.brute_force_ms:.1f}，是它的 {report.match_to_brute_force:.2f} 倍")


def print_json(data: dict[str, Any]) -> None:
    """Print data as other programs read it."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
