"""Fixtures: a real database in one rolled-back transaction per test, the whole application over it, jobs to drain.

`--database postgresql` runs everything on PostgreSQL; the default is SQLite.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from encoders import HashEncoder
from factories import MONDAY
from joining import Browser, Clock, JobList
from mailers import MemoryMailer
from postgresql import running_server
from pydantic import SecretStr
from sqlalchemy.engine import Connection, Engine
from sqlmodel import Session

from backend.assembly import build_platform
from backend.database import build_engine
from backend.domains import JOB_MODULES
from backend.matching.follower import IndexFollower
from backend.migrations.upgrade import upgrade_database
from backend.platform import Platform
from backend.settings import Settings

KNOWN_JOBS = JOB_MODULES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="which database to test on")


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--database"))


@pytest.fixture(scope="session")
def server_url(database_kind: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL server, or nothing for SQLite."""
    if database_kind == "sqlite":
        yield ""
    elif os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"]
    else:
        with running_server() as url:
            yield url


@pytest.fixture(scope="session")
def new_database(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Give a function that makes an empty database and returns its URL."""

    def make() -> str:
        if not server_url:
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'jiqiao.sqlite3'}"
        name = f"test_{uuid4().hex}"
        admin = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        return sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def engine(new_database: Callable[[], str]) -> Iterator[Engine]:
    """Give one migrated database for all tests that roll back."""
    engine = build_engine(new_database())
    upgrade_database(engine)
    yield engine
    engine.dispose()


class OneConnection:
    """An engine stand-in whose every session shares the test's transaction, as nested savepoints."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        self._engine = engine
        self._connection = connection

    def session(self, queue: "JobList") -> Session:
        return Session(
            self._connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info={"queue": queue},
        )


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def job_list() -> JobList:
    return JobList()


@pytest.fixture
def session(connection: Connection, job_list: JobList) -> Iterator[Session]:
    """Give a session whose changes the application sees and nobody keeps."""
    with OneConnection(connection.engine, connection).session(job_list) as session:
        yield session


@pytest.fixture(scope="session")
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def mailer() -> MemoryMailer:
    return MemoryMailer()


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY)


@pytest.fixture
def now(clock: Clock) -> datetime:
    return clock.moment


@dataclass(frozen=True)
class TestedPlatform(Platform):
    """A platform whose sessions all live in the test's one transaction."""

    connection: Connection = field(kw_only=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:  # type: ignore[override]
        with OneConnection(self.database, self.connection).session(self.queue) as session:
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:  # type: ignore[override]
        with OneConnection(self.database, self.connection).session(self.queue) as session:
            yield session

    def sessions(self, *, is_safe: bool) -> Iterator[Session]:
        with self.reading() as session:
            yield session
            if is_safe:
                assert not [*session.new, *session.dirty, *session.deleted], "a GET must not change anything"
            session.commit()


@pytest.fixture
def settings(tmp_path: Path, engine: Engine) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=SecretStr("a secret of tests, long enough to sign with"),
        base_url="http://testserver",
    )


@pytest.fixture(scope="session")
def lasting_parts(engine: Engine, encoder: HashEncoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give the parts that no test changes: the reference data and the relevance model take a while to load."""
    folder = tmp_path_factory.mktemp("lasting")
    settings = Settings(_env_file=None, data_dir=folder, database_url=engine.url.render_as_string(hide_password=False))
    built = build_platform(settings, database=engine, encoder=encoder, mailer=MemoryMailer(), queue=JobList())
    return {name: getattr(built, name) for name in ("database", "catalogue", "encoder", "scorer")}


@pytest.fixture
def platform(
    lasting_parts: dict[str, Any],
    settings: Settings,
    connection: Connection,
    encoder: HashEncoder,
    mailer: MemoryMailer,
    job_list: JobList,
    clock: Clock,
) -> TestedPlatform:
    return TestedPlatform(
        **lasting_parts,
        settings=settings,
        index=IndexFollower(settings.index_dir, encoder),
        mailer=mailer,
        queue=job_list,
        clock=clock,
        connection=connection,
    )


@pytest.fixture
def client(platform: TestedPlatform) -> Iterator[Browser]:
    with Browser(platform) as browser:
        yield browser
        browser.app.dependency_overrides.clear()


@pytest.fixture
def queued(job_list: JobList) -> Callable[[], list[tuple[str, dict[str, str]]]]:
    """Give a function that tells what was queued, in order."""
    return lambda: [(job.name, payload) for job, payload in job_list.entries]


@pytest.fixture
def drain(platform: TestedPlatform, job_list: JobList) -> Callable[[], list[str]]:
    """Give a function that runs queued jobs, and those they queue, until none is left; returns their names."""

    def run() -> list[str]:
        done = []
        while job_list.entries:
            job, payload = job_list.entries.pop(0)
            if job.has_transaction:
                with platform.transaction() as session:
                    job.function(session, platform, **payload)
            else:
                job.function(platform, **payload)
            done.append(job.name)
        return done

    return run
