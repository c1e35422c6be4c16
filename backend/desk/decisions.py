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
from backend.desk import cases, introductions, learning, repository, repository_cases
from backend.desk.cases import Deed
from backend.desk.tables import Case, DismissalReason, Progress, Recommendation
from backend.desk.tables_pipeline import CaseStep, StepKind
from backend.errors import Conflict, Forbidden, NotFound
from backend.listings.tables import Listing, State
from backend.matching import service as matching
from backend.matching.feedback import Shown
from backend.matching.tables import Verdict
from backend.web.pages import LOCAL_ZONE

# A pair taken by mistake can be given back for so long; later it is a case like any other.
UNDO_TAKING_FOR = timedelta(minutes=10)
FULL = "您手上的接洽已到上限，不能再接新的。"
NO_PAIR = "没有这一条推荐，或者它不是推荐给您的。"
TAKEN_BY_OTHER = "另一位技术经理人已经先接洽了这一对。"
NEXT_PAIR = "没有改变您的任何记录。请返回工作台，处理下一对。"


def take(
    session: Session,
    recommendation_id: UUID,
    *,
    by: Account,
    now: datetime,
    source: str = "",
    rank: int = 0,
    message: str | None = None,
) -> Case:
    """Begin to work on a pair; of all managers it was recommended to, the first one gets it.

    With a `message`, also an empty one, it is introduced to both sides at once. Raises: Conflict, when a listing is no
    longer published, another manager was first, or the desk is full.
    """
    row = _lock_own(session, recommendation_id, by=by)
    case = repository.find_open_case(session, row.supply_id, row.demand_id)
    if case is not None and case.manager_id == by.id:
        if message is not None and repository_cases.find_introduction(session, case.id) is None:
            introductions.send(session, case, message=message, deed=Deed(by, now, source))
        return case
    if case is not None:
        raise Conflict(TAKEN_BY_OTHER, remedy=NEXT_PAIR)
    _must_be_published(session, row)
    if repository_cases.room_of(session, by.id) <= 0:
        raise Conflict(FULL, remedy="请先结束或转交几个接洽，或者在“关注范围”里调高接洽上限。没有改变任何记录。")
    case = _open_case(session, row, now=now)
    _decide(session, row, Progress.TAKEN, now=now)
    repository_cases.mark_answered(session, row.demand_id, now=now)
    said = {"case": str(case.id), **({"introduced": "是"} if message is not None else {})}
    _note(session, row, by=by, action="desk.take", now=now, source=source, detail=said)
    if message is not None:
        introductions.send(session, case, message=message, deed=Deed(by, now, source), is_recorded=False)
    _feed_back(session, row, by=by, verdict=Verdict.FITS, reason="", rank=rank, now=now)
    learning.follow(session, by.id)
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
    learning.follow(session, by.id)
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


def hand_on(
    session: Session, recommendation_id: UUID, *, to: UUID, by: Account, now: datetime, source: str = ""
) -> Recommendation:
    """Pass a pair on to another manager, in whose queue it comes first."""
    row = _lock_own(session, recommendation_id, by=by)
    if row.progress is Progress.HANDED:
        return row
    _must_not_be_taken(row)
    _must_be_published(session, row)
    heir = cases.must_have_room(session, to, Deed(by, now, source))
    passed = repository.find_recommendation(session, heir.id, supply_id=row.supply_id, demand_id=row.demand_id)
    if passed is None:
        passed = Recommendation(
            manager_id=heir.id,
            supply_id=row.supply_id,
            demand_id=row.demand_id,
            level=row.level,
            score=row.score,
            reason="",
            fingerprint=row.fingerprint,
            made_at=now,
            detail=dict(row.detail),
        )
    if passed.progress is Progress.TAKEN:
        raise Conflict(f"{heir.display_name}已经在接洽这一对。", remedy=NEXT_PAIR)
    # Marked as put off until now, it stands at the top of the other's queue, and no renewal takes it out of there.
    passed.progress, passed.snoozed_until, passed.dismissal, passed.decided_at = Progress.SNOOZED, now, None, None
    passed.handed_by_id, passed.reason = by.id, f"由{by.display_name}转派给您"
    session.add(passed)
    _decide(session, row, Progress.HANDED, now=now)
    _note(session, row, by=by, action="desk.hand_on", now=now, source=source, detail={"to": heir.display_name})
    return row


def undo(session: Session, recommendation_id: UUID, *, by: Account, now: datetime, source: str = "") -> Recommendation:
    """Put a pair back into the queue as if nothing had been decided; a taken one only soon after it was taken."""
    row = _lock_own(session, recommendation_id, by=by)
    if row.progress in {Progress.OPEN, Progress.LAPSED}:
        return row
    if row.progress is Progress.TAKEN:
        _give_back(session, row, by=by, now=now)
    if row.progress is Progress.HANDED:
        _call_back(session, row)
    before = row.progress
    row.progress, row.dismissal, row.snoozed_until, row.decided_at = Progress.OPEN, None, None, None
    session.add(row)
    _note(session, row, by=by, action="desk.undo", now=now, source=source, detail={"from": before.label})
    repository.forget_feedback(session, by.id, supply_id=row.supply_id, demand_id=row.demand_id)
    if before in {Progress.TAKEN, Progress.DISMISSED}:
        learning.follow(session, by.id)
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
    repository_cases.unmark_answered(session, case.demand_id, at=case.taken_at)
    repository_cases.delete_untouched(session, case)


def _call_back(session: Session, row: Recommendation) -> None:
    """Take a pair out of the queue that it was passed on to, unless it was dealt with there."""
    for passed in repository.find_handed_on(session, row.manager_id, supply_id=row.supply_id, demand_id=row.demand_id):
        if passed.progress is not Progress.SNOOZED:
            raise Conflict("对方已经处理了这一对，不能再撤回。", remedy=NEXT_PAIR)
        passed.progress, passed.snoozed_until, passed.handed_by_id = Progress.LAPSED, None, None
        session.add(passed)


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
        shown=_what_was_shown(session, row, rank=rank),
        now=now,
    )


def _what_was_shown(session: Session, row: Recommendation, *, rank: int) -> Shown:
    """Return what stood in the queue, with what it rested on if the pair is still judged from the same two texts."""
    pair = repository.find_judged_pair(session, row.supply_id, row.demand_id)
    if pair is None or pair.fingerprint != row.fingerprint or pair.level != row.level:
        return Shown(level=row.level, rank=rank)
    return Shown(level=row.level, rank=rank, features=pair.features, ranker=pair.ranker)


trail.name_entries(
    actions={
        "desk.take": "接洽",
        "desk.dismiss": "标记为不合适",
        "desk.snooze": "以后再说",
        "desk.undo": "撤销处理",
        "desk.hand_on": "转派推荐",
        "desk.save_profile": "修改关注范围",
    },
    details={"case": "接洽编号", "until": "推迟到", "demand": "需求", "supply": "成果", "personalised": "个性化推荐"},
    subjects={"recommendation": "推荐"},
)
