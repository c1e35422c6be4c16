"""What a manager decides on one recommended pair: take it, dismiss it, put it off, or undo that.

Every decision is one transaction with its entry in the trail and its feedback to the ranking. Doing it twice is doing
it once.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account, Role
from backend.desk import repository, repository_cases
from backend.desk.tables import Case, DismissalReason, Progress, Recommendation
from backend.desk.tables_pipeline import CaseStep, StepKind
from backend.errors import Conflict, Forbidden, NotFound
from backend.listings.tables import Listing, State
from backend.matching import service as matching
from backend.matching.tables import Verdict
from backend.web.pages import LOCAL_ZONE

# A pair taken by mistake can be given back for so long; later it is a case like any other.
UNDO_TAKING_FOR = timedelta(minutes=10)
NO_PAIR = "没有这一条推荐，或者它不是推荐给您的。"
TAKEN_BY_OTHER = "另一位技术经理人已经先接洽了这一对。"
NEXT_PAIR = "没有改变您的任何记录。请返回工作台，处理下一对。"


def take(
    session: Session, recommendation_id: UUID, *, by: Account, now: datetime, source: str = "", rank: int = 0
) -> Case:
    """Begin to work on a pair; of all managers it was recommended to, the first one gets it.

    Raises: Conflict, when a listing is no longer published or another manager was first.
    """
    row = _lock_own(session, recommendation_id, by=by)
    case = repository.find_open_case(session, row.supply_id, row.demand_id)
    if case is not None and case.manager_id == by.id:
        return case
    if case is not None:
        raise Conflict(TAKEN_BY_OTHER, remedy=NEXT_PAIR)
    _must_be_published(session, row)
    case = _open_case(session, row, now=now)
    _decide(session, row, Progress.TAKEN, now=now)
    _note(session, row, by=by, action="desk.take", now=now, source=source, detail={"case": str(case.id)})
    _feed_back(session, row, by=by, verdict=Verdict.FITS, reason="", rank=rank, now=now)
    return case


def dismiss(
    session: Session,
    recommendation_id: UUID,
    *,
    by: Account,
    reason: DismissalReason,
    now: datetime,
    source: str = "",
    rank: int = 0,
) -> Recommendation:
    """Put a pair away for good, unless it changes."""
    row = _lock_own(session, recommendation_id, by=by)
    if row.progress is Progress.DISMISSED and row.dismissal is reason:
        return row
    _must_not_be_taken(row)
    _decide(session, row, Progress.DISMISSED, now=now)
    row.dismissal = reason
    _note(session, row, by=by, action="desk.dismiss", now=now, source=source, detail={"reason": reason.label})
    _feed_back(session, row, by=by, verdict=Verdict.UNFIT, reason=reason.value, rank=rank, now=now)
    return row


def snooze(
    session: Session,
    recommendation_id: UUID,
    *,
    by: Account,
    days: int,
    now: datetime,
    source: str = "",
    rank: int = 0,
) -> Recommendation:
    """Put a pair off until the morning so many days from now; then it comes first."""
    row = _lock_own(session, recommendation_id, by=by)
    until = morning_after(now, days=days)
    if row.progress is Progress.SNOOZED and row.snoozed_until == until:
        return row
    _must_not_be_taken(row)
    _decide(session, row, Progress.SNOOZED, now=now)
    row.snoozed_until = until
    day = f"{until.astimezone(LOCAL_ZONE):%Y-%m-%d}"
    _note(session, row, by=by, action="desk.snooze", now=now, source=source, detail={"until": day})
    _feed_back(session, row, by=by, verdict=Verdict.LATER, reason="", rank=rank, now=now)
    return row


def undo(session: Session, recommendation_id: UUID, *, by: Account, now: datetime, source: str = "") -> Recommendation:
    """Put a pair back into the queue as if nothing had been decided; a taken one only soon after it was taken."""
    row = _lock_own(session, recommendation_id, by=by)
    if row.progress in {Progress.OPEN, Progress.LAPSED}:
        return row
    if row.progress is Progress.TAKEN:
        _give_back(session, row, by=by, now=now)
    before = row.progress
    row.progress, row.dismissal, row.snoozed_until, row.decided_at = Progress.OPEN, None, None, None
    session.add(row)
    _note(session, row, by=by, action="desk.undo", now=now, source=source, detail={"from": before.label})
    repository.forget_feedback(session, by.id, supply_id=row.supply_id, demand_id=row.demand_id)
    return row


def morning_after(now: datetime, *, days: int) -> datetime:
    """Return the beginning of the day so many days from today, in Beijing."""
    day = now.astimezone(LOCAL_ZONE).date() + timedelta(days=days)
    return datetime.combine(day, time(), LOCAL_ZONE)


def can_give_back(case: Case, *, now: datetime) -> bool:
    """Tell whether the taking of a pair can still be undone."""
    return now - case.taken_at <= UNDO_TAKING_FOR


def _lock_own(session: Session, recommendation_id: UUID, *, by: Account) -> Recommendation:
    """Return a manager's own recommendation, locked; the role is read anew, for it may have been taken away."""
    account = repository.lock_manager(session, by.id)
    if account is None or account.role is not Role.MANAGER or not account.is_active:
        raise Forbidden("只有技术经理人可以处理推荐。")
    row = repository.lock_recommendation(session, recommendation_id)
    if row is None or row.manager_id != by.id:
        raise NotFound(NO_PAIR)
    return row


def _must_be_published(session: Session, row: Recommendation) -> None:
    held = repository.hold_listings(session, [row.supply_id, row.demand_id])
    for listing in (held[row.demand_id], held[row.supply_id]):
        if listing.state is not State.PUBLISHED:
            raise Conflict(gone(listing), remedy=NEXT_PAIR)


def gone(listing: Listing) -> str:
    """Say that a listing is no longer on the market."""
    return f"{listing.kind.label}《{listing.title}》{listing.state.label}，不能再接洽。"


def _must_not_be_taken(row: Recommendation) -> None:
    if row.progress is Progress.TAKEN:
        raise Conflict("您已经在接洽这一对。", remedy="如果是误点，请先在接洽页面撤销。")


def _open_case(session: Session, row: Recommendation, *, now: datetime) -> Case:
    case = Case(
        supply_id=row.supply_id,
        demand_id=row.demand_id,
        manager_id=row.manager_id,
        level=row.level,
        taken_at=now,
        staged_at=now,
        stepped_at=now,
    )
    try:
        with session.begin_nested():
            session.add(case)
    except IntegrityError:
        # Another manager's transaction took the pair between our look and our insert.
        raise Conflict(TAKEN_BY_OTHER, remedy=NEXT_PAIR) from None
    session.add(CaseStep(case_id=case.id, kind=StepKind.TAKEN, to_stage=case.stage, by_id=row.manager_id, at=now))
    return case


def _give_back(session: Session, row: Recommendation, *, by: Account, now: datetime) -> None:
    case = repository.find_open_case(session, row.supply_id, row.demand_id)
    if case is None or case.manager_id != by.id:
        return
    if not can_give_back(case, now=now):
        minutes = int(UNDO_TAKING_FOR.total_seconds() // 60)
        raise Conflict(f"接洽已超过 {minutes} 分钟，不能再撤销。", remedy="这一对仍在您的“已接洽”里。")
    if case.version > 1:
        raise Conflict("这次接洽已经有了新的记录，不能再撤销。", remedy="不再继续时，请在接洽页面结束它并写明理由。")
    repository_cases.delete_untouched(session, case)


def _decide(session: Session, row: Recommendation, progress: Progress, *, now: datetime) -> None:
    row.progress, row.decided_at = progress, now
    row.dismissal, row.snoozed_until = None, None
    session.add(row)


def _note(
    session: Session,
    row: Recommendation,
    *,
    by: Account,
    action: str,
    now: datetime,
    source: str,
    detail: Mapping[str, Any],
) -> None:
    pair = {"demand": str(row.demand_id), "supply": str(row.supply_id)}
    subject = f"recommendation:{row.id}"
    trail.record(session, by, action=action, subject=subject, source=source, detail={**detail, **pair}, now=now)


def _feed_back(
    session: Session, row: Recommendation, *, by: Account, verdict: Verdict, reason: str, rank: int, now: datetime
) -> None:
    matching.record_feedback(
        session,
        by,
        supply_id=row.supply_id,
        demand_id=row.demand_id,
        verdict=verdict,
        reason=reason,
        level=row.level,
        rank=rank,
        now=now,
    )


trail.name_entries(
    actions={
        "desk.take": "接洽",
        "desk.dismiss": "标记为不合适",
        "desk.snooze": "以后再说",
        "desk.undo": "撤销处理",
        "desk.save_profile": "修改关注范围",
    },
    details={"case": "接洽编号", "until": "推迟到", "demand": "需求", "supply": "成果", "personalised": "个性化推荐"},
    subjects={"recommendation": "推荐"},
)
