"""Engine, SQLite pragmas, UTC times, and the only two places that commit: `transaction()` and `SessionDep`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlmodel import Session, SQLModel

# Every constraint has a name, so that a later migration can drop it on either database.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READ_ONLY = "jiqiao_read_only"
BUSY_SECONDS = 15.0


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A point in time, kept in UTC and always given back with its zone, on either database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone and store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without zone: {value!r}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back that SQLite does not keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumText(sa.types.TypeDecorator[StrEnum]):
    """A word of a fixed vocabulary: stored as its code, given back as the enum's member, refused when unknown."""

    impl = sa.String
    cache_ok = True

    def __init__(self, vocabulary: type[StrEnum], length: int) -> None:
        super().__init__(length=length)
        self._vocabulary = vocabulary

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Store the code of a member."""
        return None if value is None else self._vocabulary(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Give the member back."""
        return None if value is None else self._vocabulary(value)


def build_engine(url: str, *, is_pooled: bool = True, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Open the database at `url`; on SQLite with WAL, full durability and explicit transactions.

    On SQLite whoever wants to write waits for another writer at most `busy_seconds`, then fails.

    A command that ends soon has no use for a pool: without one no connection outlives its session.
    """
    pool: dict[str, Any] = (
        {"pool_size": 10, "max_overflow": 10, "pool_timeout": 10} if is_pooled else {"poolclass": sa.NullPool}
    )
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=is_pooled, **pool)
    engine = sa.create_engine(url, connect_args={"check_same_thread": False}, **pool)

    def prepare(connection: Any, _record: object) -> None:
        _prepare_sqlite(connection, busy_seconds)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, busy_seconds: float) -> None:
    # The driver's own BEGIN comes late (at the first write), so that a read before it could be stale by then:
    # it is switched off, and `_begin_sqlite` begins every transaction for what it is.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={round(busy_seconds * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = bool(connection.get_execution_options().get(READ_ONLY))
    connection.exec_driver_sql(f"PRAGMA query_only={int(read_only)}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def read_only(engine: Engine) -> Engine:
    """Return a view of the engine whose transactions the database itself keeps from writing."""
    return engine.execution_options(**{READ_ONLY: True, "postgresql_readonly": engine.dialect.name == "postgresql"})


@contextmanager
def transaction(engine: Engine, **info: object) -> Iterator[Session]:
    """Open a session, commit when the block ends well, roll back otherwise."""
    with Session(engine, expire_on_commit=False, info=info) as session:
        yield session
        session.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a session that can only read."""
    with Session(read_only(engine), expire_on_commit=False) as session:
        yield session


def _request_session(request: Request) -> Iterator[Session]:
    """Open the session of one request: read-only for safe methods, committed before the answer leaves."""
    yield from request.app.state.platform.sessions(is_safe=request.method in SAFE_METHODS)


SessionDep = Annotated[Session, Depends(_request_session, scope="function")]
