"""Queries of accounts, organisations, sessions and tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, or_, select

from backend.accounts.tables import Account, ApiToken, LoginSession, MailedToken, Organisation, Role, TokenPurpose

MOST_NAMES = 500
MOST_SESSIONS = 50
MOST_TOKENS = 50
LIKE_ESCAPE = "\\"


class AccountState(StrEnum):
    """What an administrator may look for."""

    ACTIVE = "active"
    UNCONFIRMED = "unconfirmed"
    SUSPENDED = "suspended"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return {"active": "正常", "unconfirmed": "邮箱未确认", "suspended": "已停用"}[self.value]


@dataclass(frozen=True)
class AccountRow:
    """An account and the organisation it belongs to."""

    account: Account
    organisation: Organisation | None


@dataclass(frozen=True)
class SignedIn:
    """A signed-in browser and whose it is."""

    login: LoginSession
    account: Account


def find_account(session: Session, key: str) -> Account | None:
    """Return the account of an address key."""
    return session.exec(select(Account).where(Account.email_key == key)).first()


def add_if_new(session: Session, row: SQLModel) -> bool:
    """Add a row unless one with the same unique value exists, also when that one is added at the same moment."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def find_organisation(session: Session, names: Sequence[str]) -> Organisation | None:
    """Return the organisation that bears one of these spellings of a name."""
    named = select(Organisation).where(col(Organisation.name).in_(names)).order_by(col(Organisation.created_at))
    return session.exec(named.limit(1)).first()


def list_organisation_names(session: Session) -> Sequence[str]:
    """Return the names to choose from, those of verified organisations first."""
    order = col(Organisation.verified_at).is_(None), col(Organisation.name)
    return session.exec(select(Organisation.name).order_by(*order).limit(MOST_NAMES)).all()


def count_organisations(session: Session, *, text: str = "") -> int:
    """Return how many organisations contain a text in their name."""
    query = select(sa.func.count()).select_from(Organisation).where(contains(Organisation.name, text))
    return session.exec(query).one()


def find_organisations(
    session: Session, *, text: str = "", limit: int, offset: int = 0
) -> Sequence[tuple[Organisation, int]]:
    """Return organisations by name, each with the number of its accounts; those not yet verified stand first."""
    accounts = (
        select(sa.func.count())
        .select_from(Account)
        .where(Account.organisation_id == Organisation.id)
        .correlate(Organisation)
        .scalar_subquery()
    )
    order = col(Organisation.verified_at).is_not(None), col(Organisation.name), col(Organisation.id)
    query = select(Organisation, accounts).where(contains(Organisation.name, text)).order_by(*order)
    return [(organisation, int(count)) for organisation, count in session.exec(query.limit(limit).offset(offset))]


def contains(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column contains a text, letters of either case, its wildcards taken literally."""
    literal = text.lower()
    for special in (LIKE_ESCAPE, "%", "_"):
        literal = literal.replace(special, LIKE_ESCAPE + special)
    return sa.func.lower(column).like(f"%{literal}%", escape=LIKE_ESCAPE)


def find_accounts(
    session: Session, *, text: str, role: Role | None, state: AccountState | None, limit: int, offset: int
) -> tuple[Sequence[AccountRow], int]:
    """Return one page of the accounts that fit, newest first, and how many fit altogether."""
    wanted = _account_conditions(text, role, state)
    joined = col(Account.organisation_id) == col(Organisation.id)
    count = select(sa.func.count()).select_from(Account).outerjoin(Organisation, joined).where(*wanted)
    newest = col(Account.created_at).desc(), col(Account.id)
    page = select(Account, Organisation).outerjoin(Organisation, joined).where(*wanted).order_by(*newest)
    found = session.exec(page.limit(limit).offset(offset)).all()
    return [AccountRow(account, organisation) for account, organisation in found], session.exec(count).one()


def _account_conditions(text: str, role: Role | None, state: AccountState | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if text:
        columns = (Account.display_name, Account.email_key, Account.email, Organisation.name)
        wanted.append(or_(*(contains(column, text) for column in columns)))
    if role is not None:
        wanted.append(col(Account.role) == role)
    is_suspended = col(Account.suspended_at).is_not(None)
    is_confirmed = col(Account.confirmed_at).is_not(None)
    if state is AccountState.SUSPENDED:
        wanted.append(is_suspended)
    elif state is AccountState.UNCONFIRMED:
        wanted += [~is_confirmed, ~is_suspended]
    elif state is AccountState.ACTIVE:
        wanted += [is_confirmed, ~is_suspended]
    return wanted


# Whoever would take an administrator away waits here, so that nobody waits for a row that the other one holds.
ADMINISTRATORS_LOCK = 7003


def hold_active_administrators(session: Session) -> Sequence[Account]:
    """Return the administrators who can act, and keep them as they are until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (ADMINISTRATORS_LOCK,))
    query = (
        select(Account)
        .where(Account.role == Role.ADMINISTRATOR, *_account_conditions("", None, AccountState.ACTIVE))
        .order_by(col(Account.id))
    )
    return session.exec(query.with_for_update()).all()


def find_login(session: Session, token_hash: str) -> SignedIn | None:
    """Return the session of a cookie and its account."""
    query = (
        select(LoginSession, Account)
        .join(Account, col(LoginSession.account_id) == col(Account.id))
        .where(LoginSession.token_hash == token_hash)
    )
    found = session.exec(query).first()
    return SignedIn(*found) if found else None


def find_logins(session: Session, account_id: UUID, *, now: datetime, seen_after: datetime) -> Sequence[LoginSession]:
    """Return an account's living sessions, last used first."""
    query = (
        select(LoginSession)
        .where(
            LoginSession.account_id == account_id,
            col(LoginSession.expires_at) > now,
            col(LoginSession.last_seen_at) > seen_after,
        )
        .order_by(col(LoginSession.last_seen_at).desc(), col(LoginSession.id))
    )
    return session.exec(query.limit(MOST_SESSIONS)).all()


def find_all_logins(session: Session, account_id: UUID) -> Sequence[LoginSession]:
    """Return what is kept of an account's sessions, newest first, also of those that are over."""
    newest = col(LoginSession.created_at).desc(), col(LoginSession.id)
    query = select(LoginSession).where(LoginSession.account_id == account_id).order_by(*newest)
    return session.exec(query.limit(MOST_SESSIONS)).all()


def touch_login(session: Session, login_id: UUID, *, now: datetime) -> None:
    """Note when a session was last used."""
    touched = sa.update(LoginSession).where(col(LoginSession.id) == login_id)
    session.execute(touched.values(last_seen_at=now))


def delete_logins(session: Session, account_id: UUID, *, keep: UUID | None = None) -> int:
    """Delete an account's sessions, except one, and return how many went."""
    ending = sa.delete(LoginSession).where(col(LoginSession.account_id) == account_id)
    if keep is not None:
        ending = ending.where(col(LoginSession.id) != keep)
    return _changed(session, ending)


def delete_login(session: Session, token_hash: str) -> None:
    """Delete the session of a cookie, if it exists."""
    session.execute(sa.delete(LoginSession).where(col(LoginSession.token_hash) == token_hash))


def delete_ended_logins(session: Session, *, now: datetime) -> int:
    """Delete the sessions that are over and return how many went."""
    return _changed(session, sa.delete(LoginSession).where(col(LoginSession.expires_at) <= now))


def find_mailed_token(session: Session, token_hash: str, purpose: TokenPurpose) -> MailedToken | None:
    """Return what is known of a mailed link."""
    query = select(MailedToken).where(MailedToken.token_hash == token_hash, MailedToken.purpose == purpose)
    return session.exec(query).first()


def use_mailed_token(session: Session, token_id: UUID, *, now: datetime) -> bool:
    """Mark a mailed link as used; say no when somebody else just did."""
    unused = sa.update(MailedToken).where(col(MailedToken.id) == token_id, col(MailedToken.used_at).is_(None))
    return _changed(session, unused.values(used_at=now)) == 1


def use_other_mailed_tokens(session: Session, account_id: UUID, purpose: TokenPurpose, *, now: datetime) -> None:
    """Mark an account's open links of one purpose as used."""
    unused = sa.update(MailedToken).where(
        col(MailedToken.account_id) == account_id,
        col(MailedToken.purpose) == purpose,
        col(MailedToken.used_at).is_(None),
    )
    session.execute(unused.values(used_at=now))


def delete_old_mailed_tokens(session: Session, *, before: datetime) -> int:
    """Delete the mailed links that expired before a time and return how many went."""
    return _changed(session, sa.delete(MailedToken).where(col(MailedToken.expires_at) < before))


def find_api_token(session: Session, token_hash: str) -> tuple[ApiToken, Account] | None:
    """Return a bearer token and its account."""
    query = (
        select(ApiToken, Account)
        .join(Account, col(ApiToken.account_id) == col(Account.id))
        .where(ApiToken.token_hash == token_hash)
    )
    found = session.exec(query).first()
    return (found[0], found[1]) if found else None


def find_api_tokens(session: Session, account_id: UUID) -> Sequence[ApiToken]:
    """Return an account's tokens, those in force first, then the newest."""
    order = col(ApiToken.revoked_at).is_not(None), col(ApiToken.created_at).desc(), col(ApiToken.id)
    query = select(ApiToken).where(ApiToken.account_id == account_id).order_by(*order)
    return session.exec(query.limit(MOST_TOKENS)).all()


def count_live_api_tokens(session: Session, account_id: UUID) -> int:
    """Return how many of an account's tokens are in force."""
    living = ApiToken.account_id == account_id, col(ApiToken.revoked_at).is_(None)
    return session.exec(select(sa.func.count()).select_from(ApiToken).where(*living)).one()


def touch_api_token(session: Session, token_id: UUID, *, now: datetime) -> None:
    """Note when a token was last used."""
    session.execute(sa.update(ApiToken).where(col(ApiToken.id) == token_id).values(last_used_at=now))


def _changed(session: Session, statement: sa.Update | sa.Delete) -> int:
    """Carry out a change and return how many rows it touched."""
    result = session.execute(statement)
    return int(getattr(result, "rowcount", 0))
