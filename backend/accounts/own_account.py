"""What people do with their own account: name, password, sessions, and a copy of everything held about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from backend.accounts import repository, repository_trail, service, throttle, trail
from backend.accounts.passwords import PasswordCheck
from backend.accounts.repository_trail import TrailQuery
from backend.accounts.tables import Account, LoginSession, Organisation
from backend.accounts.throttle import Admission
from backend.errors import FieldError, Invalid

ExportPart = Callable[[Session, UUID], Sequence[dict[str, Any]]]
MOST_ENTRIES = 10_000
_export_parts: dict[str, ExportPart] = {}


def rename(session: Session, account: Account, name: str, *, now: datetime, source: str) -> None:
    """Change the name that others see."""
    before, account.display_name = account.display_name, name
    _record(session, account, "accounts.rename", source=source, now=now, **{"from": before, "to": name})


def begin_password_change(session: Session, account: Account, *, now: datetime) -> Admission:
    """Count a try to give the present password, so that a stolen session cannot be used to guess it."""
    return throttle.admit(session, throttle.password_counters(account.id), now=now)


@dataclass(frozen=True)
class PasswordChange:
    """A change that was asked for: the counted try, how the present password checked, and the hash of the new one."""

    admission: Admission
    check: PasswordCheck
    new_hash: str


def change_password(
    session: Session, account: Account, change: PasswordChange, *, keep: UUID | None, now: datetime, source: str
) -> None:
    """Change the password of somebody who gave the present one, and end all sessions but the one to keep.

    Raises: Invalid, when the present password is wrong.
    """
    if not change.check.is_right:
        raise Invalid([FieldError("current", "现在的密码不对。请重新填写；忘记了可以退出后用邮件重设。")])
    throttle.forgive(session, throttle.password_counters(account.id), change.admission)
    account.password_hash = change.new_hash
    ended = service.end_sessions(session, account.id, keep=keep)
    _record(session, account, "accounts.change_password", source=source, now=now, sessions=ended)


def refuse_password_change(session: Session, account: Account, *, why: str, now: datetime, source: str) -> None:
    """Note in the trail that a password was not changed."""
    trail.record(
        session,
        account,
        action="accounts.change_password",
        subject=f"account:{account.id}",
        result="refused",
        source=source,
        detail={"why": why},
        now=now,
    )


def export_part(name: str) -> Callable[[ExportPart], ExportPart]:
    """Declare what a domain holds about an account; it becomes one list of the copy that people can ask for."""

    def register(part: ExportPart) -> ExportPart:
        if name in _export_parts:
            raise ValueError(f"two parts of the export are called {name!r}")
        _export_parts[name] = part
        return part

    return register


def export(session: Session, account: Account, *, now: datetime, source: str) -> dict[str, Any]:
    """Return everything held about an account, as plain values; hashes of passwords and tokens stay here."""
    copy: dict[str, Any] = {"exported_at": now.isoformat()}
    for name, part in sorted(_export_parts.items()):
        copy[name] = list(part(session, account.id))
    _record(session, account, "accounts.export", source=source, now=now)
    return copy


def plain(row: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the columns of a table's row as values that JSON can hold."""
    columns = [column.key for column in row.__table__.columns if column.key not in without]
    return {name: _plain_value(getattr(row, name)) for name in columns}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)


@export_part("account")
def _export_account(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    account = session.get(Account, account_id)
    return [] if account is None else [plain(account, without=("password_hash",))]


@export_part("organisation")
def _export_organisation(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    account = session.get(Account, account_id)
    organisation = session.get(Organisation, account.organisation_id) if account and account.organisation_id else None
    return [] if organisation is None else [plain(organisation)]


@export_part("sessions")
def _export_sessions(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    return [plain(login, without=("token_hash",)) for login in repository.find_all_logins(session, account_id)]


@export_part("api_tokens")
def _export_tokens(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    return [plain(token, without=("token_hash",)) for token in repository.find_api_tokens(session, account_id)]


@export_part("trail")
def _export_trail(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    entries = repository_trail.find_entries(session, TrailQuery(actor_id=account_id), limit=MOST_ENTRIES)
    return [plain(entry) for entry in entries]


def find_sessions(session: Session, account: Account, *, now: datetime, seen_after: datetime) -> Sequence[LoginSession]:
    """Return where the account is signed in."""
    return repository.find_logins(session, account.id, now=now, seen_after=seen_after)


def _record(session: Session, account: Account, action: str, *, source: str, now: datetime, **detail: object) -> None:
    trail.record(
        session, account, action=action, subject=f"account:{account.id}", source=source, detail=detail, now=now
    )
