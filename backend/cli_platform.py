"""The platform as a command sees it, and failures as one sentence instead of a traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from backend.assembly import build_platform
from backend.database import build_engine
from backend.errors import AppError
from backend.platform import Platform
from backend.settings import Settings

FAILED = 1


def read_settings() -> Settings:
    """Read the settings, or say in one sentence which one is wrong and stop."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = ".".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"Setting refused: {name} {problem['msg']}".replace("  ", " "), err=True)
        raise typer.Exit(FAILED) from None


def open_platform(*, is_pooled: bool = False) -> Platform:
    """Join a platform from the settings of this shell; only a long-lived process wants pooled connections."""
    settings = read_settings()
    set_up_logging(settings)
    with plain_refusals():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        busy = settings.database_busy_seconds
        engine = build_engine(settings.database_url, is_pooled=is_pooled, busy_seconds=busy)
        return build_platform(settings, database=engine)


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Say in one sentence why a platform cannot be joined, and stop.

    A damaged file of weights, an encoder that is not installed, a data folder that cannot be written.
    """
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        typer.echo(f"启动不了：{error}", err=True)
        raise typer.Exit(FAILED) from None


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn an expected failure into one sentence and exit status 1."""
    try:
        yield
    except AppError as error:
        typer.echo(" ".join(part for part in (error.what, error.remedy) if part), err=True)
        raise typer.Exit(FAILED) from None
    except OperationalError as error:
        typer.echo(f"数据库没有回应：{error.orig}", err=True)
        raise typer.Exit(FAILED) from None


def set_up_logging(settings: Settings) -> None:
    """Log one event a line: readable on a terminal, JSON in production."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.is_production
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    logging.basicConfig(level=logging.WARNING)


def bench_group(app: typer.Typer) -> typer.Typer:
    """Return the group of commands `jiqiao bench`, made by whichever part comes first."""
    for known in app.registered_groups:
        if known.name == "bench" and known.typer_instance is not None:
            return known.typer_instance
    bench = typer.Typer(no_args_is_help=True)
    app.add_typer(bench, name="bench", help="测量：速度、质量、竞争。每个数字都带规模和种子。")
    return bench
