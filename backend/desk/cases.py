"""A case on its way: moved from stage to stage, noted on, planned, handed over, ended, signed and registered.

Each change holds the case locked, refuses a form of an older page, and leaves one step in its history and one entry in
the trail, in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account, Role
from backend.desk import repository, repository_cases
from backend.desk.stages import Exit, Stage, may_exit, may_move
from backend.desk.tables import Case
from backend.desk.tables_pipeline import CaseStep, Contract, StepKind
from backend.errors import Conflict, Forbidden, NotFound

CLOCK = "定时任务"
NO_CASE = "没有这次接洽，或者它不是由您负责的。"
STALE = "您打开这一页以后，这次接洽又有了变化。"
LOOK_AGAIN = "没有改变任何记录。请刷新页面，看过新的情况后再操作。"


@dataclass(frozen=True)
class Deed:
    """Who does something to a case, when and from where; `seen` is the version of the page it was done on."""

    by: Account
    now: datetime
    source: str = ""
    seen: int | None = None


@dataclass(frozen=True)
class Happening:
    """What is to be written down of one change."""

    kind: StepKind
    action: str
    to: Stage | None = None
    text: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def move(session: Session, case_id: UUID, *, to: Stage, deed: Deed, note: str = "") -> Case:
    """Bring a case to another stage before signing. Raises: Conflict for a way that the machine does not have."""
    case = lock_own(session, case_id, deed)
    if case.stage is to:
        return case
    _must_be_open(case)
    if not may_move(case.stage, to) or Stage.SIGNED in {case.stage, to}:
        raise Conflict(f"“{case.stage.label}”之后不能直接到“{to.label}”。", remedy=LOOK_AGAIN)
    step(session, case, Happening(StepKind.MOVED, "desk.move", to=to, text=note), deed)
    return case


def note(session: Session, case_id: UUID, *, text: str, deed: Deed) -> Case:
    """Write a note into the history of a case."""
    case = lock_own(session, case_id, deed)
    step(session, case, Happening(StepKind.NOTED, "desk.note", text=text), deed)
    return case


def plan(session: Session, case_id: UUID, *, text: str, on: date | None, deed: Deed) -> Case:
    """Say what is to be done next, and when."""
    case = lock_own(session, case_id, deed)
    _must_be_open(case)
    if (case.next_step, case.next_on) == (text, on):
        return case
    case.next_step, case.next_on = text, on
    step(session, case, Happening(StepKind.PLANNED, "desk.plan", text=text, detail={"on": _day(on)}), deed)
    return case


def hand_over(session: Session, case_id: UUID, *, to: UUID, deed: Deed, note: str = "") -> Case:
    """Give a case to another manager, who owns it from then on."""
    case = lock_own(session, case_id, deed)
    _must_be_open(case)
    heir = must_have_room(session, to, deed)
    case.manager_id = heir.id
    detail = {"from": deed.by.display_name, "to": heir.display_name}
    step(session, case, Happening(StepKind.HANDED_OVER, "desk.hand_over", text=note, detail=detail), deed)
    return case


def end(session: Session, case_id: UUID, *, reason: Exit, deed: Deed, note: str = "") -> Case:
    """End a case without a contract, with the reason; the pair may be recommended to others again."""
    case = lock_own(session, case_id, deed)
    if case.closed_at is not None and case.exit_reason is reason:
        return case
    _must_be_open(case)
    if not may_exit(case.stage):
        raise Conflict("已签约的接洽不能以未成结束。", remedy="如果合同没有成立，请先撤回签约。")
    close(session, case, reason, Happening(StepKind.ENDED, "desk.end", text=note), deed)
    return case


def sign(session: Session, case_id: UUID, *, contract: Contract, deed: Deed) -> Case:
    """Keep the contract of a case; what was signed can be corrected until it is registered."""
    case = lock_own(session, case_id, deed)
    _must_be_open(case)
    if case.stage is not Stage.SIGNED and not may_move(case.stage, Stage.SIGNED):
        raise Conflict(f"现在是“{case.stage.label}”，还不能签约。", remedy="请先移到“方案”或“意向”，再填写合同。")
    kept = session.merge(contract)
    detail = {"contract": kept.kind.label, "total_yuan": kept.total_yuan}
    step(session, case, Happening(StepKind.SIGNED, "desk.sign", to=Stage.SIGNED, detail=detail), deed)
    return case


def unsign(session: Session, case_id: UUID, *, deed: Deed, note: str = "") -> Case:
    """Take a contract back that was not registered; the case is at 意向 again."""
    case = lock_own(session, case_id, deed)
    _must_be_open(case)
    if case.stage is not Stage.SIGNED:
        raise Conflict("这次接洽没有签约，不需要撤回。", remedy=LOOK_AGAIN)
    contract = repository_cases.get_contract(session, case.id)
    detail = {"contract": contract.kind.label, "total_yuan": contract.total_yuan}
    session.delete(contract)
    step(session, case, Happening(StepKind.UNSIGNED, "desk.unsign", to=Stage.INTENT, text=note, detail=detail), deed)
    return case


def register(session: Session, case_id: UUID, *, number: str, on: date, deed: Deed) -> Case:
    """Note the registration of a signed contract, which ends the case well."""
    case = lock_own(session, case_id, deed)
    if case.stage is Stage.REGISTERED:
        return case
    if not may_move(case.stage, Stage.REGISTERED):
        raise Conflict("还没有签约，不能登记。", remedy="请先填写合同。")
    contract = repository_cases.get_contract(session, case.id)
    contract.registration_number, contract.registered_on = number, on
    session.add(contract)
    case.closed_at = deed.now
    detail = {"number": number, "on": _day(on)}
    step(session, case, Happening(StepKind.REGISTERED, "desk.register", to=Stage.REGISTERED, detail=detail), deed)
    return case


def close(session: Session, case: Case, reason: Exit, happening: Happening, deed: Deed | datetime) -> None:
    """End a case for a reason and write it down; the clock has a time and no account."""
    case.closed_at = deed if isinstance(deed, datetime) else deed.now
    case.exit_reason = reason
    detail = {**happening.detail, "reason": reason.label}
    step(session, case, Happening(happening.kind, happening.action, text=happening.text, detail=detail), deed)


def step(
    session: Session, case: Case, happening: Happening, deed: Deed | datetime, *, is_recorded: bool = True
) -> CaseStep:
    """Write one change of a case into its history and into the trail, and count its version up.

    What a person does also starts the time of the nudges anew; what the clock does must not. A change that is a part
    of another one is left out of the trail with `is_recorded=False`: the other one has its entry.
    """
    now, by = (deed, None) if isinstance(deed, datetime) else (deed.now, deed.by)
    before, after = case.stage, happening.to or case.stage
    if by is not None:
        case.stepped_at, case.nudges = now, 0
    if after is not before:
        case.stage, case.staged_at = after, now
    case.version += 1
    session.add(case)
    kept = CaseStep(
        case_id=case.id,
        kind=happening.kind,
        from_stage=before,
        to_stage=after,
        text=happening.text,
        detail=dict(happening.detail),
        by_id=by.id if by else None,
        at=now,
    )
    session.add(kept)
    if is_recorded:
        record(session, case, happening, deed, before=before)
    session.flush()
    return kept


def record(session: Session, case: Case, happening: Happening, deed: Deed | datetime, *, before: Stage) -> None:
    """Write one entry on a case into the trail; a note's text stays with the case, for it may speak of people."""
    stages = {"from_stage": before.label, "to_stage": case.stage.label} if case.stage is not before else {}
    detail = {**happening.detail, **stages}
    if isinstance(deed, datetime):
        trail.record(session, CLOCK, action=happening.action, subject=subject(case), detail=detail, now=deed)
        return
    trail.record(
        session,
        deed.by,
        action=happening.action,
        subject=subject(case),
        source=deed.source,
        detail=detail,
        now=deed.now,
    )


def subject(case: Case) -> str:
    """Return how the trail names a case."""
    return f"case:{case.id}"


def lock_own(session: Session, case_id: UUID, deed: Deed) -> Case:
    """Return a manager's own case, locked, as it was on the page; the role is read anew, for it may be gone by now.

    Raises: Forbidden for somebody who is no manager, NotFound for the case of another, Conflict for an old page.
    """
    must_be_manager(session, deed.by)
    case = repository_cases.lock_case(session, case_id)
    if case is None or case.manager_id != deed.by.id:
        raise NotFound(NO_CASE, remedy="它可能已经转交给别人。请在“对接”里查找您负责的接洽。")
    if deed.seen is not None and deed.seen != case.version:
        raise Conflict(STALE, remedy=LOOK_AGAIN)
    return case


def must_be_manager(session: Session, account: Account) -> Account:
    """Return a manager's account, locked. Raises: Forbidden when it may not act any longer."""
    found = repository.lock_manager(session, account.id)
    if found is None or found.role is not Role.MANAGER or not found.is_active:
        raise Forbidden("只有技术经理人可以处理推荐和接洽。")
    return found


def must_have_room(session: Session, manager_id: UUID, deed: Deed) -> Account:
    """Return another manager who can take one more case now. Raises: Conflict, saying why not."""
    heir = repository.lock_manager(session, manager_id)
    if heir is None or heir.role is not Role.MANAGER or not heir.is_active or heir.id == deed.by.id:
        raise Conflict("请选择另一位在职的技术经理人。", remedy=LOOK_AGAIN)
    room = repository_cases.room_of(session, heir.id)
    if room <= 0:
        raise Conflict(f"{heir.display_name}手上的接洽已满，不能再接。", remedy="请选择另一位技术经理人。")
    return heir


def _must_be_open(case: Case) -> None:
    if case.closed_at is not None:
        ended = case.exit_reason.label if case.exit_reason else case.stage.label
        raise Conflict(f"这次接洽已经结束（{ended}）。", remedy=LOOK_AGAIN)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


trail.name_entries(
    actions={
        "desk.move": "移动接洽阶段",
        "desk.note": "记录接洽情况",
        "desk.plan": "计划下一步",
        "desk.hand_over": "转交接洽",
        "desk.end": "结束接洽",
        "desk.sign": "填写合同",
        "desk.unsign": "撤回签约",
        "desk.register": "登记合同",
    },
    details={
        "from_stage": "原阶段",
        "to_stage": "现阶段",
        "on": "日期",
        "number": "编号",
        "contract": "合同类别",
        "total_yuan": "成交额（元）",
    },
    subjects={"case": "接洽"},
)
