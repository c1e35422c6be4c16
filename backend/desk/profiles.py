"""What a manager says to care for, and that the queue follows at once."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account, Role
from backend.desk import cases, repository, repository_cases
from backend.desk.forms import ProfileForm
from backend.desk.service import Pool, load_pool, recommend
from backend.desk.tables import ManagerAbsence, ManagerProfile
from backend.errors import Conflict, Forbidden, NotFound
from backend.platform import Platform

MOST_ABSENCES = 40


def save_profile(
    session: Session, form: ProfileForm, *, by: Account, platform: Platform, now: datetime, source: str = ""
) -> ManagerProfile:
    """Keep a manager's profile and renew the queue, so that the next page already follows it."""
    pool = load_early(platform)
    account = repository.lock_manager(session, by.id)
    if account is None or account.role is not Role.MANAGER or not account.is_active:
        raise Forbidden("只有技术经理人有关注范围。")
    profile = repository.find_profile(session, by.id) or ManagerProfile(account_id=by.id, updated_at=now)
    profile.regions, profile.fields, profile.expertise = list(form.regions), list(form.fields), form.expertise
    profile.industries, profile.languages = list(form.industries), list(form.languages)
    profile.certification, profile.capacity = form.certification, form.capacity
    profile.prefers_cross_region, profile.personalised = form.prefers_cross_region, form.personalised
    profile.updated_at = now
    session.add(profile)
    session.flush()
    detail = {"personalised": "开" if form.personalised else "关"}
    subject = f"account:{by.id}"
    trail.record(session, by, action="desk.save_profile", subject=subject, source=source, detail=detail, now=now)
    recommend(session, by.id, platform, pool=pool)
    return profile


def load_early(platform: Platform) -> Pool:
    """Read the market before the transaction of a change begins, so that on SQLite nobody waits for the reading."""
    with platform.reading() as early:
        return load_pool(early, platform)


def add_absence(
    session: Session, *, from_on: date, until_on: date, by: Account, now: datetime, source: str = ""
) -> ManagerAbsence:
    """Keep days on which a manager is away; the same days are kept once."""
    account = cases.must_be_manager(session, by)
    known = repository_cases.find_absences(session, account.id)
    for absence in known:
        if (absence.from_on, absence.until_on) == (from_on, until_on):
            return absence
    if len(known) >= MOST_ABSENCES:
        raise Conflict(f"最多保存 {MOST_ABSENCES} 段休假。", remedy="请先移除已经过去的休假。")
    kept = ManagerAbsence(account_id=account.id, from_on=from_on, until_on=until_on)
    session.add(kept)
    _note_absence(session, by, "desk.add_absence", kept, now=now, source=source)
    return kept


def remove_absence(session: Session, absence_id: UUID, *, by: Account, now: datetime, source: str = "") -> None:
    """Take days of absence back; a second time changes nothing."""
    account = cases.must_be_manager(session, by)
    kept = session.get(ManagerAbsence, absence_id)
    if kept is None:
        return
    if kept.account_id != account.id:
        raise NotFound("没有这段休假。")
    _note_absence(session, by, "desk.remove_absence", kept, now=now, source=source)
    session.delete(kept)


def _note_absence(
    session: Session, by: Account, action: str, absence: ManagerAbsence, *, now: datetime, source: str
) -> None:
    detail = {"from_on": absence.from_on.isoformat(), "until_on": absence.until_on.isoformat()}
    trail.record(session, by, action=action, subject=f"account:{by.id}", source=source, detail=detail, now=now)


trail.name_entries(
    actions={"desk.add_absence": "登记休假", "desk.remove_absence": "取消休假"},
    details={"from_on": "从", "until_on": "到"},
)
