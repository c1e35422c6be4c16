"""A mail room over a database of its own, whose transactions really commit: what is tested here is when they do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mailing import PostOffice, compose_sample
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel

from backend.database import build_engine
from backend.mail import jobs as mail_jobs
from backend.mail.tables import AddressRecord, Bounce, MailPause, MailRoute, OutboxMessage
from backend.settings import Settings

TABLES = [
    SQLModel.metadata.tables[table.__tablename__]
    for table in (Bounce, OutboxMessage, MailRoute, MailPause, AddressRecord)
]
assert mail_jobs.deliver is not None  # importing it declares the jobs that posting queues


@pytest.fixture(scope="session")
def mail_engine(new_database: Callable[[], str]) -> Iterator[Engine]:
    engine = build_engine(new_database())
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def office(mail_engine: Engine, clock: Any, job_list: Any, tmp_path: Any) -> Iterator[PostOffice]:
    settings = Settings(_env_file=None, data_dir=tmp_path, base_url="http://127.0.0.1:8000", smtp_timeout_seconds=5)
    yield PostOffice(settings=settings, database=mail_engine, clock=clock, queue=job_list)
    with mail_engine.begin() as connection:
        for table in TABLES:
            connection.execute(table.delete())


@pytest.fixture
def posted(office: PostOffice) -> OutboxMessage:
    return office.post(compose_sample(), key="sample:1")
