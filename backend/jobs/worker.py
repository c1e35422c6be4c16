"""The worker process: runs queued jobs, keeps the timetable, takes over from dead workers."""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from dbos import DBOS, DBOSConfig, ScheduleInput, SQLAlchemyDatasource
from dbos._datasource import DatasourceOptions, IsolationLevel
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session

from backend.errors import Conflict
from backend.jobs.queue import APPLICATION, APPLICATION_VERSION, SERIALIZER, database_url_for_dbos
from backend.jobs.registry import LONG_QUEUE, MAIN_QUEUE, NETWORK_QUEUE, Job, registered_jobs, timed_jobs
from backend.jobs.takeover import Takeover
from backend.platform import Platform

log = structlog.get_logger()
POLLING_SECONDS = 0.2
FIRST_RETRY_SECONDS = 2.0
FINISH_SECONDS = 10
KEEP_FINISHED_FOR = timedelta(days=30)
SQLITE_EXECUTOR = "worker"


@contextmanager
def running_worker(platform: Platform) -> Iterator[None]:
    """Run jobs in background threads of this process while the block lasts; finish what is running when it ends."""
    with _sole_worker(platform):
        executor = SQLITE_EXECUTOR if platform.settings.is_sqlite else f"{socket.gethostname()}-{os.getpid()}-{uuid4()}"
        _configure(platform, executor)
        for job in registered_jobs():
            _register(platform, job)
        takeover = Takeover(platform.database, executor) if not platform.settings.is_sqlite else None
        DBOS.launch()
        DBOS.register_queue(MAIN_QUEUE, worker_concurrency=2, polling_interval_sec=POLLING_SECONDS)
        DBOS.register_queue(NETWORK_QUEUE, worker_concurrency=2, polling_interval_sec=POLLING_SECONDS)
        DBOS.register_queue(LONG_QUEUE, worker_concurrency=1, polling_interval_sec=POLLING_SECONDS)
        _keep_timetable(platform)
        if takeover:
            takeover.start()
        log.info("worker.started", executor=executor, jobs=len(registered_jobs()))
        try:
            yield
        finally:
            if takeover:
                takeover.stop()
            DBOS.destroy(workflow_completion_timeout_sec=FINISH_SECONDS)
            log.info("worker.stopped", executor=executor)


@contextmanager
def _sole_worker(platform: Platform) -> Iterator[None]:
    """Hold the lock that keeps a second worker off one SQLite file; PostgreSQL may have many workers."""
    if not platform.settings.is_sqlite:
        yield
        return
    path = Path(platform.settings.data_dir) / "worker.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("这个数据库已经有一个后台进程在运行；SQLite 只允许一个。") from None
        yield


def _configure(platform: Platform, executor: str) -> None:
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": database_url_for_dbos(platform.settings.database_url),
        "application_version": APPLICATION_VERSION,
        "executor_id": executor,
        "serializer": SERIALIZER,
        "run_migrations": False,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 5.0,
    }
    DBOS(config=config)


def _register(platform: Platform, job: Job) -> None:
    """Make one job a DBOS workflow whose whole effect is one step."""
    run = _transaction_runner(platform, job) if job.has_transaction else _own_runner(platform, job)

    def workflow(payload: Mapping[str, str]) -> None:
        for attempt in range(1, job.max_attempts + 1):
            try:
                run(attempt, payload)
            except Exception as error:
                # Whatever went wrong is kept with the workflow and shown to the administrator: a job may not take
                # the worker down. Only the last attempt gives up.
                log.warning("job.failed", job=job.name, attempt=attempt, error=repr(error), payload=dict(payload))
                if attempt == job.max_attempts:
                    raise
                DBOS.sleep(FIRST_RETRY_SECONDS * 2 ** (attempt - 1))
            else:
                return

    workflow.__qualname__ = job.name
    DBOS.workflow(name=job.name)(workflow)


def _transaction_runner(platform: Platform, job: Job) -> Callable[[int, Mapping[str, str]], None]:
    datasource = _datasource(platform)
    isolation: IsolationLevel = "SERIALIZABLE" if platform.settings.is_sqlite else "READ COMMITTED"

    def body(payload: Mapping[str, str]) -> None:
        session = datasource.sql_session()
        if not isinstance(session, Session):
            raise TypeError(f"the datasource opened {type(session)!r}, not a SQLModel session")
        job.function(session, platform, **payload)

    def run(attempt: int, payload: Mapping[str, str]) -> None:
        options: DatasourceOptions = {"name": f"{job.name}#{attempt}", "isolation_level": isolation}
        datasource.run_tx_step(options, body, payload)

    return run


def _own_runner(platform: Platform, job: Job) -> Callable[[int, Mapping[str, str]], None]:
    def body(payload: Mapping[str, str]) -> None:
        job.function(platform, **payload)

    def run(attempt: int, payload: Mapping[str, str]) -> None:
        DBOS.run_step({"name": f"{job.name}#{attempt}"}, body, payload)

    return run


_datasources: dict[int, SQLAlchemyDatasource] = {}


def _datasource(platform: Platform) -> SQLAlchemyDatasource:
    """Return the one datasource of this platform: jobs and tables share an engine, so a step is one transaction."""
    key = id(platform.database)
    if key not in _datasources:
        _datasources[key] = SQLAlchemyDatasource.create(
            database_url_for_dbos(platform.settings.database_url),
            engine=platform.database,
            serializer=SERIALIZER,
            sessionmaker=sessionmaker(class_=Session, expire_on_commit=False, info={"queue": platform.queue}),
            run_migrations=False,
        )
    return _datasources[key]


def _keep_timetable(platform: Platform) -> None:
    """Give DBOS the timed jobs; a tick missed while no worker ran is made up once one does."""
    schedules: list[ScheduleInput] = []
    for job in timed_jobs():
        cron = str(getattr(platform.settings, job.cron_setting)) if job.cron_setting else job.cron
        schedules.append(
            {
                "schedule_name": job.name,
                "workflow_fn": _tick(platform, job),
                "schedule": cron,
                "context": None,
                "automatic_backfill": True,
                "cron_timezone": "Asia/Shanghai",
            }
        )
    DBOS.apply_schedules(schedules)


def _tick(platform: Platform, job: Job) -> Callable[[datetime, Any], None]:
    runner = _transaction_runner(platform, job) if job.has_transaction else _own_runner(platform, job)

    def tick(_scheduled_at: datetime, _context: Any) -> None:
        runner(1, {})

    tick.__qualname__ = f"{job.name}@clock"
    DBOS.workflow(name=f"{job.name}@clock")(tick)
    return tick


def prune(now: datetime) -> int:
    """Delete finished work older than 30 days and return how much went."""
    cutoff = (now - KEEP_FINISHED_FOR).isoformat()
    finished = DBOS.list_workflows(status=["SUCCESS", "CANCELLED"], end_time=cutoff, limit=1000)
    if finished:
        DBOS.delete_workflows([work.workflow_id for work in finished])
    return len(finished)
