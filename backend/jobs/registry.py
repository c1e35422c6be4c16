"""What jobs there are, and how a change queues one in its own transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlmodel import Session

JobFunction = Callable[..., None]
MAIN_QUEUE = "jobs"
NETWORK_QUEUE = "network"
LONG_QUEUE = "long"


@dataclass(frozen=True)
class Job:
    """A named piece of background work.

    A database job runs as `function(session, platform, **payload)` inside one transaction. A network job runs as
    `function(platform, **payload)` with no transaction open, and makes its own short ones. So does a long job.
    `cron` (five fields, Asia/Shanghai) makes it a timed job; `cron_setting` names the setting that holds it instead.
    """

    name: str
    function: JobFunction
    max_attempts: int
    queue: str
    """Where it waits: a slow relay never holds up the rest, and neither does work of minutes."""
    cron: str = ""
    cron_setting: str = ""

    @property
    def has_transaction(self) -> bool:
        """Tell whether it runs inside one transaction."""
        return self.queue == MAIN_QUEUE


class JobQueue(Protocol):
    """Where enqueued jobs go: DBOS in a running platform, a list in tests."""

    def put(
        self, session: Session, job: Job, payload: Mapping[str, str], *, key: str | None, delay_seconds: float
    ) -> None:
        """Keep one job, so that it exists exactly when the session's transaction commits."""


_jobs: dict[str, Job] = {}


def job(
    name: str, *, max_attempts: int = 5, cron: str = "", cron_setting: str = ""
) -> Callable[[JobFunction], JobFunction]:
    """Declare a database job."""
    return _declare(name, max_attempts, queue=MAIN_QUEUE, cron=cron, cron_setting=cron_setting)


def network_job(name: str, *, max_attempts: int = 1, cron: str = "") -> Callable[[JobFunction], JobFunction]:
    """Declare a job that talks to another machine."""
    return _declare(name, max_attempts, queue=NETWORK_QUEUE, cron=cron, cron_setting="")


def long_job(name: str, *, max_attempts: int = 3, cron: str = "") -> Callable[[JobFunction], JobFunction]:
    """Declare a job that computes for long; each worker does one at a time."""
    return _declare(name, max_attempts, queue=LONG_QUEUE, cron=cron, cron_setting="")


def _declare(
    name: str, max_attempts: int, *, queue: str, cron: str, cron_setting: str
) -> Callable[[JobFunction], JobFunction]:
    def register(function: JobFunction) -> JobFunction:
        if name in _jobs:
            raise ValueError(f"two jobs are called {name!r}")
        _jobs[name] = Job(name, function, max_attempts, queue, cron, cron_setting)
        return function

    return register


def find_job(name: str) -> Job:
    """Return the job of this name; raise ValueError when nobody handles it."""
    if name not in _jobs:
        raise ValueError(f"nobody handles the job {name!r}; known: {', '.join(sorted(_jobs))}")
    return _jobs[name]


def registered_jobs() -> list[Job]:
    """Return every job, by name."""
    return [_jobs[name] for name in sorted(_jobs)]


def timed_jobs() -> list[Job]:
    """Return the jobs that a clock starts."""
    return [known for known in registered_jobs() if known.cron or known.cron_setting]


def enqueue(session: Session, name: str, *, key: str | None = None, delay_seconds: float = 0, **payload: Any) -> None:
    """Queue a job as part of the session's transaction.

    `key` says what it is for: enqueueing the same key twice does it once. Payloads hold ids and dates, as text.
    Raises: ValueError when nobody handles the job or the session was opened without a queue.
    """
    queue: JobQueue | None = session.info.get("queue")
    if queue is None:
        raise ValueError(f"this session has no job queue, so {name!r} cannot be enqueued")
    texts = {field: str(value) for field, value in payload.items()}
    queue.put(session, find_job(name), texts, key=key, delay_seconds=delay_seconds)
