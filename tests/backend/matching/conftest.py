"""A small market in the index, and what the tests of matching ask of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from factories import make_account, make_listing, make_organisation
from sqlalchemy.engine import Connection

from backend.listings.tables import Kind, Listing

CANARY = {"contact_name": "金丝雀联系人", "contact_phone": "13900001111", "contact_email": "canary@example.com"}


@pytest.fixture
def publish(session, encoder) -> Callable[..., Listing]:
    """Give a function that publishes and embeds a listing with contact details that nobody may ever see."""
    owner = make_account(session, organisation_id=make_organisation(session, name="测试研究院").id)

    def make(title: str, kind: Kind = Kind.SUPPLY, **changes) -> Listing:
        values = {"title": title, "owner": owner, "encoder": encoder, **CANARY, **changes}
        return make_listing(session, kind=kind, **values)

    return make


@contextmanager
def counting_queries(connection: Connection) -> Iterator[list[str]]:
    """Collect the SELECT statements of a block."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(connection, "before_cursor_execute", note)
