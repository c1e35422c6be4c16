"""Take over the work of dead workers on PostgreSQL.

Each worker holds an advisory lock for as long as its database connection lives. DBOS itself resumes the work of a dead
worker only when the same executor comes back, so every worker looks for unfinished work whose owner's lock is free.
"""

import threading
import zlib

import structlog
from dbos import DBOS
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()
LOCK_SPACE = 7001
LOOK_EVERY_SECONDS = 2.0
PAGE = 200


class Takeover:
    """A thread that resumes unfinished work of workers that are gone."""

    def __init__(self, engine: Engine, executor: str) -> None:
        self._engine = engine
        self._executor = executor
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="takeover", daemon=True)
        self._own_lock: Connection | None = None

    def start(self) -> None:
        """Take this worker's own lock and begin to look after the others."""
        self._hold_own_lock()
        self._thread.start()

    def stop(self) -> None:
        """Stop looking and let this worker's lock go."""
        self._stopping.set()
        self._thread.join(timeout=10)
        if self._own_lock is not None:
            self._own_lock.close()

    def _hold_own_lock(self) -> None:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("SELECT pg_advisory_lock(%s, %s)", (LOCK_SPACE, _lock_key(self._executor)))
        self._own_lock = connection

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            try:
                self._check_own_lock()
                resume_orphans(self._engine, self._executor)
            except SQLAlchemyError as error:
                # The database is away: this worker's lock is gone too and is taken again when it is back.
                log.warning("takeover.database_away", error=repr(error))
                self._own_lock = None

    def _check_own_lock(self) -> None:
        if self._own_lock is None:
            self._hold_own_lock()
            return
        self._own_lock.exec_driver_sql("SELECT 1")


def resume_orphans(engine: Engine, executor: str) -> list[str]:
    """Resume the unfinished work of executors that no longer hold their lock; return the ids of what was resumed."""
    running = DBOS.list_workflows(status="PENDING", limit=PAGE, load_input=False, load_output=False)
    owners = {work.executor_id for work in running if work.executor_id not in {None, executor}}
    orphans: list[str] = []
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for owner in sorted(name for name in owners if name):
            lock = (LOCK_SPACE, _lock_key(owner))
            if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s, %s)", lock).scalar_one():
                continue
            # Holding the dead owner's lock keeps a second worker from resuming the same work meanwhile.
            mine = [work.workflow_id for work in running if work.executor_id == owner]
            log.warning("takeover.resumed", owner=owner, count=len(mine))
            DBOS.resume_workflows(mine)
            orphans += mine
            connection.exec_driver_sql("SELECT pg_advisory_unlock(%s, %s)", lock)
    return orphans


def _lock_key(executor: str) -> int:
    """Return the signed 32-bit number that stands for an executor."""
    return zlib.crc32(executor.encode()) - 2**31
