"""What must hold when requests come at the same moment: on a database of its own, with real transactions."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest
from factories import MONDAY, make_account
from sqlalchemy.engine import Engine
from sqlmodel import select

from backend.accounts import administration, mailed_links, throttle
from backend.accounts.passwords import Passwords, shared_passwords
from backend.accounts.tables import Account, MailedToken, Role, TokenPurpose
from backend.accounts.tokens import digest
from backend.database import build_engine, transaction
from backend.errors import Conflict
from backend.migrations.upgrade import upgrade_database
from backend.platform import Platform

AT_ONCE = 8


@pytest.fixture
def own_engine(new_database: Callable[[], str]) -> Iterator[Engine]:
    engine = build_engine(new_database())
    upgrade_database(engine)
    yield engine
    engine.dispose()


def side_by_side(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, range(AT_ONCE)))


def test_guesses_made_side_by_side_are_counted_like_guesses_one_by_one(own_engine: Engine):
    counters = throttle.login_counters("wang@example.com", "10.0.0.1", device="")

    def guess(_number: int) -> bool:
        with transaction(own_engine) as session:
            return throttle.admit(session, counters, now=MONDAY).until is None

    assert sum(side_by_side(guess)) == 5


def test_a_link_used_side_by_side_serves_once(own_engine: Engine):
    with transaction(own_engine) as session:
        account = make_account(session)
        session.add(
            MailedToken(
                token_hash=digest("a link"),
                purpose=TokenPurpose.RESET_PASSWORD,
                account_id=account.id,
                created_at=MONDAY,
                expires_at=MONDAY + mailed_links.VALID_FOR[TokenPurpose.RESET_PASSWORD],
            )
        )

    def use(_number: int) -> bool:
        try:
            with transaction(own_engine) as session:
                mailed_links.use(session, "a link", TokenPurpose.RESET_PASSWORD, now=MONDAY)
        except Conflict:
            return False
        return True

    assert sum(side_by_side(use)) == 1


def test_two_administrators_who_demote_each_other_leave_one(own_engine: Engine):
    with transaction(own_engine) as session:
        pair = [make_account(session, role=Role.ADMINISTRATOR) for _ in range(2)]

    def demote(number: int) -> bool:
        try:
            with transaction(own_engine) as session:
                other = pair[1 - number % 2]
                administration.change_role(session, other.id, Role.MEMBER, by=pair[number % 2], now=MONDAY)
        except Conflict:
            return False
        return True

    side_by_side(demote)

    with transaction(own_engine) as session:
        assert len(session.exec(select(Account).where(Account.role == Role.ADMINISTRATOR)).all()) == 1


def test_a_change_does_not_wait_for_the_note_that_its_own_session_is_in_use(
    own_engine: Engine, client: Any, platform: Any, clock: Any, passwords: Passwords
):
    parts = {part.name: getattr(platform, part.name) for part in fields(Platform)}
    real = Platform(**{**parts, "database": own_engine})
    with real.transaction() as session:
        account = make_account(session, display_name="王晓明")
    browser = type(client)(real)
    browser.app.dependency_overrides[shared_passwords] = lambda: passwords
    browser.sign_in(account)
    clock.advance(minutes=10)

    answer = browser.submit("/account/name", {"display_name": "王小明"}, follow_redirects=False)

    assert answer.status_code == 303
    with real.reading() as session:
        assert session.get(Account, account.id).display_name == "王小明"
