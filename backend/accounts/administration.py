"""What administrators do with accounts: make, change the role, suspend, lift. The same rules hold in the shell."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import repository, service, trail
from backend.accounts.addresses import address_key, normal_address
from backend.accounts.tables import Account, Role
from backend.accounts.trail import Actor
from backend.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from backend.mail import outbox
from backend.mail.messages import Sender, compose


@dataclass(frozen=True)
class NewAccount:
    """An account to be made without registration; its address counts as confirmed."""

    email: str
    password_hash: str
    display_name: str
    role: Role
    organisation_id: UUID | None = None


def create_account(session: Session, new: NewAccount, *, by: Actor, now: datetime, source: str = "") -> Account:
    """Make a confirmed account, as the shell and the demonstration market do.

    Raises: Invalid, when the address is not one; Conflict, when it has an account.
    """
    _check_administrator(by)
    try:
        address = normal_address(new.email)
    except ValueError as error:
        raise Invalid([FieldError("email", str(error))]) from None
    account = Account(
        email=address,
        email_key=address_key(address),
        password_hash=new.password_hash,
        display_name=new.display_name,
        role=new.role,
        organisation_id=new.organisation_id,
        created_at=now,
        confirmed_at=now,
    )
    if not repository.add_if_new(session, account):
        raise Conflict(f"{address} 已有账号，没有再建。")
    _record(session, by, "accounts.create", account, source=source, now=now, to=new.role.label)
    return account


def get_account(session: Session, account_id: UUID) -> Account:
    """Return an account; raise NotFound when there is none."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("没有这个账号。")
    return account


def change_role(
    session: Session, account_id: UUID, role: Role, *, by: Actor, now: datetime, source: str = ""
) -> Account:
    """Give an account another role; nobody changes their own, and the last administrator stays one."""
    _check_administrator(by)
    account = get_account(session, account_id)
    before = Role(account.role)
    if isinstance(by, Account) and by.id == account.id:
        raise Forbidden("不能改变自己的角色，没有保存。", remedy="请让另一位管理员来改。")
    if before != role:
        if before == Role.ADMINISTRATOR:
            _keep_an_administrator(session, account)
        account.role = role
    _record(
        session, by, "accounts.change_role", account, source=source, now=now, **{"from": before.label, "to": role.label}
    )
    return account


def suspend(
    session: Session, account_id: UUID, *, reason: str, sender: Sender, by: Actor, now: datetime, source: str = ""
) -> Account:
    """Keep an account from acting, end its sessions at once, and mail it the reason as written."""
    _check_administrator(by)
    account = get_account(session, account_id)
    if isinstance(by, Account) and by.id == account.id:
        raise Forbidden("不能停用自己的账号，没有停用。", remedy="请让另一位管理员来做。")
    if account.suspended_at is not None:
        raise Conflict("这个账号已经停用，没有改变。")
    _keep_an_administrator(session, account)
    account.suspended_at = now
    account.suspension_reason = reason
    ended = service.end_sessions(session, account.id)
    message = compose(
        "account_suspended",
        recipient=account.email,
        recipient_name=account.display_name,
        category="account",
        sender=sender,
        address=account.email,
        reason=reason,
    )
    outbox.post(session, message, key=f"suspended:{account.id}:{now.isoformat()}", now=now)
    _record(session, by, "accounts.suspend", account, source=source, now=now, reason=reason, sessions=ended)
    return account


def lift_suspension(session: Session, account_id: UUID, *, by: Actor, now: datetime, source: str = "") -> Account:
    """Let a suspended account act again."""
    _check_administrator(by)
    account = get_account(session, account_id)
    if account.suspended_at is None:
        raise Conflict("这个账号没有停用，没有改变。")
    account.suspended_at = None
    account.suspension_reason = ""
    _record(session, by, "accounts.lift", account, source=source, now=now)
    return account


def _check_administrator(by: Actor) -> None:
    """Refuse accounts that are not administrators; whoever has the shell needs no account."""
    if isinstance(by, Account) and by.role != Role.ADMINISTRATOR:
        raise Forbidden("只有管理员可以管理账号。")


def _keep_an_administrator(session: Session, leaving: Account) -> None:
    """Refuse what would leave nobody who can manage accounts, also when two such changes come at once."""
    active = repository.hold_active_administrators(session)
    if [administrator.id for administrator in active] == [leaving.id]:
        raise Conflict("这是最后一位管理员，没有改变。", remedy="请先让另一个账号成为管理员。")


def _record(
    session: Session, by: Actor, action: str, account: Account, *, source: str, now: datetime, **detail: object
) -> None:
    trail.record(
        session,
        by,
        action=action,
        subject=f"account:{account.id}",
        source=source,
        detail={"name": account.display_name, **detail},
        now=now,
    )
