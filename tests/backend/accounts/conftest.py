"""Fixtures of the accounts tests: cheap password hashing, further browsers, and the mails that were posted."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from backend.accounts.passwords import Passwords, shared_passwords
from backend.accounts.tables import TrailEntry
from backend.mail.tables import OutboxMessage


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    """Give a hasher that takes 64 KiB instead of 46 MiB."""
    return Passwords(memory_kib=64, passes=1)


@pytest.fixture
def client(client: Any, passwords: Passwords) -> Any:
    client.app.dependency_overrides[shared_passwords] = lambda: passwords
    return client


@pytest.fixture
def another_browser(client: Any, passwords: Passwords) -> Callable[[], Any]:
    """Give a function that opens one more browser over the same platform, with cookies of its own."""

    def open_browser() -> Any:
        browser = type(client)(client.platform)
        browser.app.dependency_overrides[shared_passwords] = lambda: passwords
        return browser

    return open_browser


@pytest.fixture
def mails(session: Session) -> Callable[[], list[OutboxMessage]]:
    """Give a function that returns the mails posted so far, oldest first."""

    def read() -> list[OutboxMessage]:
        return list(session.exec(select(OutboxMessage).order_by(col(OutboxMessage.posted_at), col(OutboxMessage.id))))

    return read


@pytest.fixture
def new_link(mails: Callable[[], list[OutboxMessage]]) -> Callable[[], str]:
    """Give a function that returns the path of the one link that was mailed since it was last asked."""
    seen: set[str] = set()

    def read() -> str:
        found = {match for mail in mails() for match in re.findall(r"http://testserver(/\S+)", mail.body_text)}
        (fresh,) = found - seen
        seen.add(fresh)
        return fresh

    return read


@pytest.fixture
def trail_of(session: Session) -> Callable[[str], list[TrailEntry]]:
    """Give a function that returns the entries of one action, oldest first."""

    def read(action: str) -> list[TrailEntry]:
        query = select(TrailEntry).where(TrailEntry.action == action).order_by(col(TrailEntry.id))
        return list(session.exec(query.execution_options(populate_existing=True)))

    return read


def plain_body(text: str) -> str:
    """Return a page without what differs on every answer: the form token."""
    return re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', r'\1=""', text)


@pytest.fixture
def comparable() -> Callable[[str], str]:
    """Give a function that removes from a page what differs on every answer."""
    return plain_body
