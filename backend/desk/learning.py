"""A manager's decisions change the order of the manager's own queue at once; what was learned can be seen and reset."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.desk import cases, repository
from backend.desk.lessons import Decision, Lesson, learn, learned_of
from backend.desk.tables import ManagerProfile, Progress

# Older decisions than the latest so many are forgotten: interests change.
REMEMBERED = 300
SMALLEST_CHANGE = 1e-9


def lessons_of(session: Session, manager_id: UUID) -> Mapping[str, Lesson]:
    """Return what a manager's decisions teach; nothing, for somebody who wants no personal order."""
    profile = repository.find_profile(session, manager_id)
    if profile is not None and not profile.personalised:
        return {}
    since = profile.learning_since if profile else None
    rows = repository.find_decided(session, manager_id, since=since, limit=REMEMBERED)
    return learn(Decision(row.detail.get("traits", ()), row.progress is Progress.TAKEN, row.dismissal) for row in rows)


def effects_of(session: Session, manager_id: UUID) -> dict[str, float]:
    """Return the effect of each trait that a manager's decisions teach something of."""
    return {trait: lesson.effect for trait, lesson in lessons_of(session, manager_id).items()}


def follow(session: Session, manager_id: UUID) -> int:
    """Put a manager's queue into the order that the decisions ask for; return how many pairs moved."""
    session.flush()
    effects = effects_of(session, manager_id)
    moved = []
    for scored in repository.find_scores(session, manager_id):
        score = scored.base + learned_of(scored.traits, effects)
        if abs(score - scored.score) > SMALLEST_CHANGE:
            moved.append({"row_id": scored.id, "new_score": score})
    repository.change_scores(session, moved)
    return len(moved)


def reset(session: Session, *, by: Account, now: datetime, source: str = "") -> ManagerProfile:
    """Forget what was learned of a manager: decisions up to now are no longer used, though they stay as they are."""
    account = cases.must_be_manager(session, by)
    profile = repository.find_profile(session, account.id) or ManagerProfile(account_id=account.id, updated_at=now)
    forgotten = len(lessons_of(session, account.id))
    profile.learning_since = now
    session.add(profile)
    detail = {"forgotten": forgotten}
    subject = f"account:{account.id}"
    trail.record(session, by, action="desk.reset_learning", subject=subject, source=source, detail=detail, now=now)
    follow(session, account.id)
    return profile


def switch(session: Session, *, personalised: bool, by: Account, now: datetime, source: str = "") -> ManagerProfile:
    """Switch the personal order on or off; the next page follows."""
    account = cases.must_be_manager(session, by)
    profile = repository.find_profile(session, account.id) or ManagerProfile(account_id=account.id, updated_at=now)
    profile.personalised, profile.updated_at = personalised, now
    session.add(profile)
    detail = {"personalised": "开" if personalised else "关"}
    subject = f"account:{account.id}"
    trail.record(session, by, action="desk.switch_personal", subject=subject, source=source, detail=detail, now=now)
    session.flush()
    return profile


trail.name_entries(
    actions={"desk.reset_learning": "清除学到的偏好", "desk.switch_personal": "开关个性化推荐"},
    details={"forgotten": "清除的偏好数"},
)
