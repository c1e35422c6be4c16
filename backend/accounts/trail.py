"""The audit trail: who did what to which thing, when, from where, with what result.

An entry is written in the transaction of the change it speaks of. None is ever changed or deleted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from backend.accounts.tables import Account, TrailEntry

Result = Literal["ok", "refused", "failed"]
# Who acts without an account: the shell, a timed job. The empty name is somebody unknown.
Actor = Account | str
SHELL = "命令行"
NOBODY = ""

RESULT_NAMES: Mapping[str, str] = {"ok": "成功", "refused": "被拒绝", "failed": "失败"}
_action_names: dict[str, str] = {}
_detail_names: dict[str, str] = {}
_subject_names: dict[str, str] = {}


def record(
    session: Session,
    actor: Actor,
    *,
    action: str,
    subject: str = "",
    result: Result = "ok",
    source: str = "",
    detail: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write one entry. `subject` is `kind:id`; `detail` holds short plain values, never a password or a token."""
    account = actor if isinstance(actor, Account) else None
    session.add(
        TrailEntry(
            at=now,
            actor_id=account.id if account else None,
            actor_name=account.display_name if account else str(actor),
            action=action,
            subject=subject,
            result=result,
            source=source,
            detail=dict(detail or {}),
        )
    )


def name_entries(
    *,
    actions: Mapping[str, str],
    details: Mapping[str, str] | None = None,
    subjects: Mapping[str, str] | None = None,
) -> None:
    """Say in Chinese what a domain's actions, details and kinds of subject are called on the page of the trail."""
    _action_names.update(actions)
    _detail_names.update(details or {})
    _subject_names.update(subjects or {})


def action_names() -> Mapping[str, str]:
    """Return every named action, by code."""
    return dict(sorted(_action_names.items()))


def describe_action(entry: TrailEntry) -> str:
    """Return what was done, in words."""
    return _action_names.get(entry.action, entry.action)


def describe_subject(entry: TrailEntry) -> str:
    """Return what it was done to: the kind of thing and the beginning of its id."""
    kind, _, identifier = entry.subject.partition(":")
    return f"{_subject_names.get(kind, kind)} {identifier[:8]}".strip()


def describe_detail(entry: TrailEntry) -> list[tuple[str, str]]:
    """Return the details as pairs of name and value."""
    return [
        (_detail_names.get(name, name), str(value)) for name, value in entry.detail.items() if value not in ("", None)
    ]


name_entries(
    actions={
        "accounts.register": "注册账号",
        "accounts.ask_confirmation": "要求重发确认邮件",
        "accounts.confirm": "确认邮箱",
        "accounts.login": "登录",
        "accounts.logout": "退出",
        "accounts.request_reset": "要求重设密码",
        "accounts.reset_password": "重设密码",
        "accounts.change_password": "修改密码",
        "accounts.rename": "修改姓名",
        "accounts.end_session": "结束登录",
        "accounts.create_token": "创建接口令牌",
        "accounts.revoke_token": "撤销接口令牌",
        "accounts.export": "导出个人数据",
        "accounts.create": "建立账号",
        "accounts.change_role": "改变角色",
        "accounts.suspend": "停用账号",
        "accounts.lift": "恢复账号",
        "organisations.create": "登记机构",
        "organisations.verify": "核实机构",
        "organisations.unverify": "撤销核实",
    },
    details={
        "name": "名称",
        "reason": "原因",
        "from": "原来",
        "to": "改为",
        "address": "邮箱",
        "sessions": "结束的登录",
        "why": "情况",
    },
    subjects={"account": "账号", "organisation": "机构", "token": "令牌", "session": "登录"},
)
