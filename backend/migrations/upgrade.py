"""Bring a database to the newest schema: our tables by Alembic, those of the job queue by DBOS."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlmodel import SQLModel

from backend.jobs.queue import migrate_queue
from backend.migrations import tables_of_all_domains

FOLDER = Path(__file__).parent
UPGRADE_LOCK = 7000


def upgrade_database(engine: Engine) -> None:
    """Apply every migration that is missing; two processes starting at once take turns."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (UPGRADE_LOCK,))
        command.upgrade(_config(connection), "head")
    migrate_queue(engine.url.render_as_string(hide_password=False))


def is_current(engine: Engine) -> bool:
    """Tell whether the schema is the one this program needs."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def differences(engine: Engine) -> list[object]:
    """Return how the migrated schema differs from the tables in code; empty when they agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": tables_of_all_domains.is_ours}
        )
        return list(compare_metadata(context, SQLModel.metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
