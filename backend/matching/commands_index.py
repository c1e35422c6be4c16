"""`jiqiao index`: the search index from a shell."""

import typer
from sqlalchemy import func
from sqlmodel import col, select

from backend.cli_platform import open_platform, plain_failures
from backend.listings.tables import Listing, State
from backend.matching import indexing

app = typer.Typer(no_args_is_help=True)
PAGE = 500


@app.command()
def rebuild() -> None:
    """补齐缺少的向量，重建索引并切换过去；网站不用停。"""
    with plain_failures():
        platform = open_platform()
        made = 0
        while True:
            with platform.transaction() as session:
                batch = indexing.embed_missing(session, encoder=platform.encoder, now=platform.clock(), limit=PAGE)
            made += batch
            if batch < PAGE:
                break
        with platform.reading() as session:
            count = platform.index.rebuild(session)
    typer.echo(f"补齐向量 {made} 条，索引中现有 {count} 条。")


@app.command()
def show() -> None:
    """显示索引与数据库是否一致。"""
    with plain_failures():
        platform = open_platform()
        with platform.reading() as session:
            index = platform.index.current(session)
            published = session.exec(
                select(func.count()).select_from(Listing).where(col(Listing.state) == State.PUBLISHED)
            ).one()
    typer.echo(f"已发布 {published} 条，索引中 {index.count()} 条")
    typer.echo(f"编码器 {platform.encoder.name}，快照 {index.snapshot_name}")
