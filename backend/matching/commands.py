"""`jiqiao match`, `search`, and of `evaluate` the collections: the matching core from a shell."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli_platform import FAILED, open_platform, plain_failures
from backend.listings.cards import make_card
from backend.listings.forms import check_listing
from backend.listings.tables import Kind
from backend.matching import service
from backend.matching.data import card_as_data, match_as_data
from backend.matching.evaluation import Evaluation, evaluate
from backend.matching.posted import unposted_bundle
from backend.matching.search import find_by_text
from models.evaluation import Pool, load_beir

MEASURES = ("ndcg@10", "spearman", "auc", "recall@1", "recall@10", "mrr@10")
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands of this part."""
    app.command(name="match")(match)
    app.command(name="search")(search)


def match(
    kind: Annotated[Kind, typer.Option(help="这段文字是需求 demand 还是成果 supply")],
    title: Annotated[str, typer.Option(help="标题")],
    text: Annotated[str, typer.Option(help="详细说明")] = "",
    field: Annotated[list[str] | None, typer.Option(help="优先领域代码，可重复")] = None,
    region: Annotated[str, typer.Option(help="所在地区代码")] = "110000",
    limit: Annotated[int, typer.Option(min=1, max=50, help="最多几条")] = 10,
    as_json: Json = False,
) -> None:
    """显示一条信息发布后会得到的匹配，连同程度、理由和原文依据。"""
    with plain_failures():
        platform = open_platform()
        values = {"title": title, "description": text, "region_code": region, "fields": field or []}
        form = check_listing(values, catalogue=platform.catalogue, is_draft=True)
        bundle = unposted_bundle(form, kind=kind, now=platform.clock())
        with platform.reading() as session:
            found = service.match_listing(session, bundle, platform=platform, limit=limit)
            matches = [match_as_data(one, platform.catalogue, reader=None, of=bundle) for one in found.matches]
            nearest = make_card(found.nearest, platform.catalogue, reader=None).title if found.nearest else None
    if as_json:
        _print_json({"matches": matches, "no_match": not matches, "nearest": nearest})
        return
    if not matches:
        typer.echo(f"没有合适的{kind.other.label}。" + (f"最接近的是：{nearest}" if nearest else ""))
    for one in matches:
        _print_match(one)


def _print_match(one: dict[str, Any]) -> None:
    listing = one["listing"]
    typer.echo(f"[{one['level_word']}] {listing['title']}（{listing['organisation']}，{listing['place']}）")
    if one["requirements_total"]:
        typer.echo(f"    满足 {one['requirements_total']} 项要求中的 {one['requirements_met']} 项")
    typer.echo(f"    {one['reason']}")
    for item in one["requirements"]:
        mark = {"met": "✓", "missed": "✗", "unknown": "?"}[item["status"]]
        typer.echo(f"    {mark} {item['text']}：{item['note']}")


def search(
    query: Annotated[str, typer.Argument(help="要找的内容")],
    kind: Annotated[Kind | None, typer.Option(help="只找需求 demand 或成果 supply")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="最多几条")] = 20,
    as_json: Json = False,
) -> None:
    """搜索已发布的成果和需求。"""
    with plain_failures():
        platform = open_platform()
        with platform.reading() as session:
            found = find_by_text(session, query, kind=kind, platform=platform)[:limit]
            cards = [card_as_data(make_card(bundle, platform.catalogue, reader=None)) for bundle in found]
    if as_json:
        _print_json({"results": cards})
        return
    if not cards:
        typer.echo("没有找到。可以换个说法，或去掉类型限制再试。")
    for card in cards:
        kind_word = Kind(card["kind"]).label
        typer.echo(f"{kind_word}  {card['title']}（{card['organisation']}，{card['place']}）  {card['href']}")


def evaluate_collection(
    folder: Annotated[Path, typer.Argument(help="BEIR 格式的文件夹：corpus.jsonl、queries.jsonl、qrels.tsv")],
    pool: Annotated[str, typer.Option(help="judged：各查询自己的候选；corpus：全部语料")] = "judged",
    as_json: Json = False,
) -> None:
    """在有标注的数据上测量匹配质量，与它的各个部分比较：只用 BM25、只用向量、两者合并而不逐对判断。"""
    chosen: Pool | None = {"judged": "judged", "corpus": "corpus"}.get(pool)  # type: ignore[assignment]
    if chosen is None:
        typer.echo(f"--pool 只能是 judged 或 corpus，不能是“{pool}”。", err=True)
        raise typer.Exit(FAILED)
    try:
        collection = load_beir(folder)
    except (ValueError, OSError) as error:
        typer.echo(f"读不了这份数据：{error}", err=True)
        raise typer.Exit(FAILED) from None
    platform = open_platform()
    result = evaluate(
        collection,
        pool=chosen,
        encoder=platform.encoder,
        scorer=platform.scorer,
        cross_encoder=platform.cross_encoder,
    )
    if as_json:
        _print_json(result.as_dict())
    else:
        _print_table(result)


def _print_table(result: Evaluation) -> None:
    typer.echo(f"{result.queries} 条需求，{result.documents} 条成果；回答“没有合适的”的占 {result.no_match_share:.1%}")
    columns = [("技桥", result.ours), ("BM25", result.bm25), ("向量", result.dense), ("合并", result.fused)]
    if result.without_cross_encoder is not None:
        columns.insert(1, ("不重排", result.without_cross_encoder))
    # A Han character is two columns wide.
    typer.echo(" " * 12 + "".join(" " * (10 - len(title.encode("gbk"))) + title for title, _ in columns))
    for name in MEASURES:
        row = [values.get(name) for _, values in columns]
        typer.echo(f"{name:12}" + "".join(f"{'—' if value is None else format(value, '.3f'):>10}" for value in row))


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
