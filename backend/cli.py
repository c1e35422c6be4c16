"""The command `jiqiao`: everything the platform does, from a shell."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from backend.accounts import commands as accounts
from backend.assembly import check_ranker
from backend.bench import commands as bench
from backend.bench import commands_evaluate as evaluating
from backend.check import commands as check
from backend.cli_platform import open_platform, plain_failures, plain_refusals, read_settings
from backend.database import build_engine
from backend.desk import commands as desk
from backend.digests import commands as digests
from backend.jobs import enqueue
from backend.jobs.worker import running_worker
from backend.mail import commands as mail
from backend.main import create_app
from backend.matching import commands as matching
from backend.matching import commands_import as importing
from backend.matching import commands_index as index
from backend.migrations.upgrade import upgrade_database
from backend.process import die_with_parent
from seeds import commands as seeds

app = typer.Typer(no_args_is_help=True, help="技桥：京津冀技术供需对接平台。", pretty_exceptions_enable=False)
app.add_typer(accounts.app, name="account", help="账号：创建、列出、改角色、停用。")
app.add_typer(index.app, name="index", help="索引：重建、查看。")
app.add_typer(
    evaluating.app, name="evaluate", help="质量：evaluate 文件夹 测量有标注的数据；或 fields、feedback、refit。"
)
app.add_typer(digests.app, name="digest", help="周报：预览、立即生成。")
app.add_typer(mail.app, name="mail", help="邮件：查看发件箱、试发。")
for part in (seeds, importing, matching, desk, bench, check):
    part.register(app)

FINISH_SECONDS = 15


@app.command()
def migrate() -> None:
    """把数据库升级到最新结构。"""
    with plain_failures():
        upgrade_database(open_platform().database)
    typer.echo("数据库结构已是最新。")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址")] = "", port: Annotated[int, typer.Option(help="监听端口")] = 0
) -> None:
    """启动网站进程。"""
    platform = open_platform(is_pooled=True)
    settings = platform.settings
    uvicorn.run(
        create_app(platform=platform),
        host=host or settings.host,
        port=port or settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=settings.trusted_proxy,
        server_header=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )


@app.command()
def worker() -> None:
    """启动后台进程：向量、推荐、周报、邮件都在这里完成。"""
    platform = open_platform(is_pooled=True)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with plain_failures(), running_worker(platform):
        # Another encoder than last time knows nothing yet: what it has to learn is queued before anybody searches.
        with platform.transaction() as session:
            enqueue(session, "matching.embed_missing")
        stopping.wait()


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="空数据库先装入示范市场")] = False,
    port: Annotated[int, typer.Option(help="监听端口")] = 0,
) -> None:
    """升级数据库，然后同时启动网站和后台进程。"""
    settings = read_settings()
    with plain_refusals():
        check_ranker(settings.ranker)
    with plain_failures():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        engine = build_engine(settings.database_url, is_pooled=False)
        upgrade_database(engine)
        if demo:
            seeds.seed_if_empty(engine)
    typer.echo(f"网站：http://{settings.host}:{port or settings.port}/ （按 Ctrl+C 停止）")
    raise typer.Exit(_run_together([lambda: serve(host="", port=port), worker]))


def _run_together(works: Sequence[Callable[[], None]]) -> int:
    """Run works side by side until one ends or we are told to stop; then end the others. Return an exit status.

    They are forked, which spares them the imports; this process has opened no pool, thread or model to share.
    """
    processes = multiprocessing.get_context("fork")
    children = [processes.Process(target=_run_alone, args=(work,)) for work in works]
    for child in children:
        child.start()
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping.wait(0.2) and all(child.is_alive() for child in children):
        pass
    failed = not stopping.is_set()
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    return int(failed)


def _run_alone(work: Callable[[], None]) -> None:
    """Run one work in its own process, which ends when the one that started it is gone."""
    die_with_parent()
    try:
        work()
    except typer.Exit as end:
        # It has said why; in a process of its own nobody above turns this into an exit status.
        sys.exit(end.exit_code)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    app()
