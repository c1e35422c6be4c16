"""What tests join to: the application, its queue, its clock, and a browser over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from backend.accounts import service as accounts
from backend.accounts.dependencies import SESSION_COOKIE
from backend.accounts.tables import Account
from backend.jobs.registry import Job
from backend.main import create_app
from backend.platform import Platform
from backend.web import csrf


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


class Clock:
    """The time of a test; moves only when told."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> datetime:
        self.moment += timedelta(**delta)
        return self.moment


class Browser(TestClient):
    """A browser over the application: keeps cookies, fills in the form token, signs in without a password."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        super().__init__(application(platform), base_url="http://testserver", follow_redirects=True)

    def token(self) -> str:
        """Return a valid form token for this browser."""
        if csrf.COOKIE not in self.cookies:
            self.cookies.set(csrf.COOKIE, csrf.new_browser_id(), domain="testserver.local")
        return csrf.make_token(self.platform.settings.signing_key, self.cookies[csrf.COOKIE])

    def submit(self, url: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """Post a form with its token."""
        return self.post(url, data={csrf.FIELD: self.token(), **(data or {})}, **options)

    def sign_in(self, account: Account) -> None:
        """Open a session for an account."""
        with self.platform.transaction() as session:
            token = accounts.open_session(session, account, now=self.platform.clock(), hours=12)
        self.cookies.set(SESSION_COOKIE, token, domain="testserver.local")
