"""What time does to a case: a reminder after 9 and after 21 days without a step, and after 45 days it is given up.

Days on which its manager is away do not count. A case that is given up is told to both sides, its pair may be
recommended again, and its demand goes on record as unanswered; so does a demand that nobody took up for as long.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from backend.accounts import trail
from backend.desk import cases, repository_cases
from backend.desk.cases import Happening
from backend.desk.stages import Exit, may_exit
from backend.desk.tables import Case, ManagerAbsence
from backend.desk.tables_pipeline import StepKind, UnansweredListing, Waiting
from backend.jobs import enqueue
from backend.web.pages import LOCAL_ZONE

FIRST_NUDGE_DAYS, SECOND_NUDGE_DAYS, GIVE_UP_DAYS = 9, 21, 45
MOST_NUDGES = 2


class Due(StrEnum):
    """What a quiet case has coming."""

    NOTHING = "nothing"
    NUDGE = "nudge"
    GIVE_UP = "give_up"


def quiet_days(since: datetime, now: datetime, absences: Sequence[tuple[date, date]]) -> int:
    """Return how many whole days of work have passed in Beijing since a step, without those of absence."""
    first, last = since.astimezone(LOCAL_ZONE).date(), now.astimezone(LOCAL_ZONE).date()
    days = (first + timedelta(days=passed) for passed in range(1, (last - first).days + 1))
    return sum(not any(begin <= day <= end for begin, end in absences) for day in days)


def what_is_due(days: int, nudges: int) -> Due:
    """Return what so many quiet days ask for after so many nudges: nobody is given up without both."""
    if days >= GIVE_UP_DAYS and nudges >= MOST_NUDGES:
        return Due.GIVE_UP
    thresholds = (FIRST_NUDGE_DAYS, SECOND_NUDGE_DAYS)
    return Due.NUDGE if nudges < MOST_NUDGES and days >= thresholds[nudges] else Due.NOTHING


def watch(session: Session, case: Case, absences: Sequence[ManagerAbsence], *, now: datetime) -> Due:
    """Remind the manager of a quiet case, or give the case up; `case` is locked."""
    if case.closed_at is not None or not may_exit(case.stage):
        return Due.NOTHING
    spans = [(absence.from_on, absence.until_on) for absence in absences]
    today = now.astimezone(LOCAL_ZONE).date()
    if any(begin <= today <= end for begin, end in spans):
        return Due.NOTHING
    days = quiet_days(case.stepped_at, now, spans)
    due = what_is_due(days, case.nudges)
    if due is Due.NUDGE:
        case.nudges += 1
        detail = {"days": days, "number": case.nudges}
        cases.step(session, case, Happening(StepKind.NUDGED, "desk.nudge", detail=detail), now)
        enqueue(session, "desk.tell_manager", case_id=case.id, nudge=case.nudges)
    elif due is Due.GIVE_UP:
        _give_up(session, case, days, now=now)
    return due


def _give_up(session: Session, case: Case, days: int, *, now: datetime) -> None:
    happening = Happening(StepKind.ENDED, "desk.give_up", detail={"days": days})
    cases.close(session, case, Exit.GIVEN_UP, happening, now)
    session.add(
        UnansweredListing(
            listing_id=case.demand_id, case_id=case.id, why=Waiting.GIVEN_UP, since=case.stepped_at, recorded_at=now
        )
    )
    for side in ("demand", "supply"):
        enqueue(session, "desk.tell_given_up", case_id=case.id, side=side)


def record_unanswered(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Put demands on record that were published long ago and that nobody ever took up; return how many."""
    waiting = repository_cases.find_untaken_demands(session, before=now - timedelta(days=GIVE_UP_DAYS), limit=limit)
    for listing in waiting:
        since = listing.published_at or now
        session.add(UnansweredListing(listing_id=listing.id, why=Waiting.NOBODY, since=since, recorded_at=now))
    session.flush()
    return len(waiting)


trail.name_entries(
    actions={"desk.nudge": "提醒没有进展的接洽", "desk.give_up": "长期没有进展，放弃接洽"},
    details={"days": "没有进展的天数"},
)
