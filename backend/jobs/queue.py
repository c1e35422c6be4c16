"""The job queue of a running platform: DBOS workflows in the application's own database."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from dbos import DBOS, DBOSClient, EnqueueOptions, SQLAlchemyDatasource
from dbos._serialization import DBOSPortableJSONSerializer
from sqlalchemy.engine import Engine
from sqlmodel import Session

from backend.jobs.registry import Job

APPLICATION = "jiqiao"
# DBOS recovers only work of its own application version, by default a hash of the code, so that a deployment would
# strand what was running. A constant keeps it; raise it only when old payloads can no longer be read.
APPLICATION_VERSION = "1"
SERIALIZER = DBOSPortableJSONSerializer()


def database_url_for_dbos(url: str) -> str:
    """Return the database URL in the spelling that DBOS accepts."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def migrate_queue(url: str) -> None:
    """Create or bring up to date the tables of DBOS, both of its queue and of its transaction checkpoints."""
    DBOS.migrate(database_url_for_dbos(url))
    SQLAlchemyDatasource.migrate(database_url_for_dbos(url))


class DbosQueue:
    """Put jobs into DBOS inside the caller's transaction; never runs any."""

    def __init__(self, engine: Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine, serializer=SERIALIZER, application_name=APPLICATION, lazy=True
        )

    def put(
        self, session: Session, job: Job, payload: Mapping[str, str], *, key: str | None, delay_seconds: float
    ) -> None:
        """Keep one job, so that it exists exactly when the session's transaction commits."""
        options: EnqueueOptions = {
            "workflow_name": job.name,
            "queue_name": job.queue,
            "workflow_id": key or f"{job.name}:{uuid4()}",
            "app_version": APPLICATION_VERSION,
        }
        if delay_seconds > 0:
            options["delay_seconds"] = delay_seconds
        arguments: dict[str, Any] = dict(payload)
        self._client.enqueue_in_transaction(session.connection(), options, arguments)
