"""The application of the tests, joined once, and a queue that runs jobs on demand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI
from sqlmodel import Session

from backend.jobs.registry import Job
from backend.main import create_app
from backend.platform import Platform


@dataclass
class JobList:
    """The queue of a test: keeps what was put, runs it on demand."""

    entries: list[tuple[Job, dict[str, str]]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def put(
        self, session: Session, job: Job, payload: Mapping[str, str], *, key: str | None, delay_seconds: float
    ) -> None:
        if key is None or key not in self.keys:
            self.entries.append((job, dict(payload)))
        if key is not None:
            self.keys.add(key)


_application: list[FastAPI] = []


def application(platform: Platform) -> FastAPI:
    """Return the application over this platform; it is joined once, for joining takes longer than most tests."""
    if not _application:
        _application.append(create_app(platform=platform))
    app = _application[0]
    app.state.platform = platform
    return app
