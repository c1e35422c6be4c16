"""Join the parts of a platform as the settings ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import Engine

from backend.database import build_engine
from backend.jobs.queue import DbosQueue
from backend.jobs.registry import JobQueue
from backend.mail.mailer import Mailer, build_mailer
from backend.matching.follower import IndexFollower
from backend.platform import Clock, Platform
from backend.policy.catalogue import load_catalogue
from backend.settings import PROJECT, Settings
from models.cross_encoder import load_cross_encoder
from models.encoder import Encoder, load_encoder
from models.relevance import PairScorer, read_ranker

REFERENCE = PROJECT / "seeds" / "reference"


def utc_now() -> datetime:
    """Return the time now; the only clock of the platform, and the one that tests replace."""
    return datetime.now(UTC)


def build_platform(
    settings: Settings,
    *,
    database: Engine | None = None,
    encoder: Encoder | None = None,
    mailer: Mailer | None = None,
    queue: JobQueue | None = None,
    clock: Clock = utc_now,
) -> Platform:
    """Join the parts; tests hand in their own clock, mailer, encoder and queue."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = database or build_engine(settings.database_url, busy_seconds=settings.database_busy_seconds)
    chosen = encoder or load_encoder(settings.encoder)
    return Platform(
        settings=settings,
        database=engine,
        catalogue=load_catalogue(REFERENCE),
        encoder=chosen,
        scorer=load_ranker(settings.ranker, chosen),
        index=IndexFollower(settings.index_dir, chosen),
        mailer=mailer or build_mailer(settings),
        queue=queue or DbosQueue(engine),
        clock=clock,
        cross_encoder=load_cross_encoder(settings.cross_encoder),
    )


def load_ranker(folder: Path, encoder: Encoder) -> PairScorer:
    """Load the ranker of a setting. Raises: as `check_ranker`."""
    with _naming_the_setting():
        return PairScorer.load(folder, encoder)


def check_ranker(folder: Path) -> None:
    """Read the ranker of a setting. Raises: ValueError saying which setting is wrong, and which file of its folder."""
    with _naming_the_setting():
        read_ranker(folder)


@contextmanager
def _naming_the_setting() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"设置 RANKER 所指的文件夹里没有可用的排序模型（{error}）") from error
