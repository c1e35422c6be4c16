"""`jiqiao evaluate`: quality on a judged collection, of suggested fields, and as people who use it see it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from backend.bench.commands_matching import SEED, Json, Seed, print_json, read
from backend.bench.fields import measure_fields, write_combination
from backend.cli_platform import FAILED, open_platform, plain_failures
from backend.matching.commands import evaluate_collection
from backend.matching.explanation import LEVEL_WORDS
from backend.matching.learning import (
    UNSTATED,
    Acceptance,
    LevelAcceptance,
    RankAcceptance,
    Refit,
    acceptance_by_level,
    acceptance_by_rank,
    learn_from_feedback,
)
from models.refit import write_refitted
from models.relevance import MatchLevel

COLLECTION = "collection"


class FolderOrMeasure(TyperGroup):
    """A group whose first word may also be a folder: `jiqiao evaluate DIR` measures the collection in it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command for folders first, unless another one or the help is asked for."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [COLLECTION, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FolderOrMeasure)
app.command(name=COLLECTION)(evaluate_collection)


@app.command()
def fields(
    seed: Seed = SEED,
    write: Annotated[bool, typer.Option("--write", help="用全部条目重新拟合，并写入 models/weights/fields")] = False,
    as_json: Json = False,
) -> None:
    """领域建议的宏平均 F1：在示范市场上交叉验证，与只看词表比较。"""
    platform = open_platform()
    listings = read(None)
    report = measure_fields(listings, seed=seed, catalogue=platform.catalogue)
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(f"{report.listings} 条，{report.folds} 折交叉验证，重复 {report.repeats} 次，种子 {report.seed}")
        typer.echo(f"宏平均 F1 {report.macro_f1:.3f}（只看词表 {report.macro_f1_terms_alone:.3f}）")
        for code, score in report.f1.items():
            typer.echo(f"    {platform.catalogue.field(code).name}：{score:.3f}")
        typer.echo(f"全部说对的占 {report.exactly_right_share:.1%}，没有建议的占 {report.empty_share:.1%}")
    if write:
        path = write_combination(listings, catalogue=platform.catalogue)
        typer.echo(f"已写入 {path}", err=True)


@app.command()
def feedback(as_json: Json = False) -> None:
    """按当时显示的匹配度和名次统计大家的意见：合适、不合适、以后再说。"""
    with plain_failures():
        platform = open_platform()
        with platform.reading() as session:
            levels, ranks = acceptance_by_level(session), acceptance_by_rank(session)
    if as_json:
        total = sum(entry.shown for entry in levels)
        print_json({"total": total, "levels": list(map(asdict, levels)), "ranks": list(map(asdict, ranks))})
        return
    if not any(entry.shown for entry in levels):
        typer.echo("还没有人对匹配发表过意见。")
        return
    typer.echo("按显示的匹配度：")
    for level in levels:
        typer.echo(f"    {_level_word(level)}：{_line(level)}")
    typer.echo("按显示的名次：")
    for rank in ranks:
        typer.echo(f"    {_rank_word(rank)}：{_line(rank)}")


def _level_word(entry: LevelAcceptance) -> str:
    return "未记录匹配度" if entry.level == UNSTATED else LEVEL_WORDS[MatchLevel(entry.level)]


def _rank_word(entry: RankAcceptance) -> str:
    if entry.first == 0:
        return "未记录名次"
    if entry.last is None:
        return f"第 {entry.first} 名以后"
    return f"第 {entry.first} 名" if entry.first == entry.last else f"第 {entry.first}–{entry.last} 名"


def _line(entry: Acceptance) -> str:
    accepted = "—" if entry.acceptance is None else f"{entry.acceptance:.1%}"
    counts = f"合适 {entry.fits}，不合适 {entry.unfit}，以后再说 {entry.later}"
    return f"{entry.shown} 条意见，{counts}；接受率 {accepted}"


@app.command()
def refit(
    output: Annotated[Path | None, typer.Option(help="把新的排序模型写成这个文件夹；不给就只比较，什么也不改")] = None,
    seed: Seed = SEED,
    as_json: Json = False,
) -> None:
    """用已记录的意见重新拟合排序模型，给出之前和之后的数值（按需求交叉验证）。只在有人运行时进行。"""
    with plain_failures():
        platform = open_platform()
        with platform.reading() as session:
            found = learn_from_feedback(session, scorer=platform.scorer, seed=seed)
    if found is None:
        typer.echo("意见还太少：合适的和技术上不合适的各要 20 条以上，并且不止一条需求，才学得到东西。", err=True)
        raise typer.Exit(FAILED)
    if as_json:
        print_json({"seed": seed, **{name: value for name, value in asdict(found).items() if name != "model"}})
    else:
        typer.echo("\n".join(_refit_lines(found, seed=seed)))
    if output is not None:
        _write_ranker(platform.settings.ranker, output, found, seed=seed)
        typer.echo(f"已写入 {output}。设置 RANKER={output} 并重新启动后生效，推荐会重新计算。", err=True)


def _refit_lines(found: Refit, *, seed: int) -> list[str]:
    return [
        f"合适 {found.fits} 对，不合适 {found.unfit} 对，{found.demands} 条需求，种子 {seed}",
        f"特征：{found.stored} 对用显示时保存的，{found.computed} 对按现在的文字重新计算",
        f"之前：AUC {_number(found.before.auc)}，对数损失 {found.before.log_loss:.3f}",
        f"之后：AUC {_number(found.after.auc)}，对数损失 {found.after.log_loss:.3f}",
    ]


def _write_ranker(present: Path, output: Path, found: Refit, *, seed: int) -> None:
    card = "\n".join(["# 用意见重新拟合的排序模型", "", *(f"- {line}" for line in _refit_lines(found, seed=seed)), ""])
    try:
        write_refitted(present, output, found.model, card=card)
    except OSError as error:
        typer.echo(f"写不了 {output}：{error.strerror}。请给一个还没有的文件夹。", err=True)
        raise typer.Exit(FAILED) from None


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"
