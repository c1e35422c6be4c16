"""What a manager says to care for, and that the queue follows at once."""

from datetime import datetime

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account, Role
from backend.desk import repository
from backend.desk.forms import ProfileForm
from backend.desk.service import load_pool, recommend
from backend.desk.tables import ManagerProfile
from backend.errors import Forbidden
from backend.platform import Platform


def save_profile(
    session: Session, form: ProfileForm, *, by: Account, platform: Platform, now: datetime, source: str = ""
) -> ManagerProfile:
    """Keep a manager's profile and renew the queue, so that the next page already follows it."""
    # The market is read before the transaction of the change begins, so that on SQLite nobody waits for the reading.
    with platform.reading() as early:
        pool = load_pool(early, platform)
    account = repository.lock_manager(session, by.id)
    if account is None or account.role is not Role.MANAGER or not account.is_active:
        raise Forbidden("只有技术经理人有关注范围。")
    profile = repository.find_profile(session, by.id) or ManagerProfile(account_id=by.id, updated_at=now)
    profile.regions, profile.fields, profile.expertise = list(form.regions), list(form.fields), form.expertise
    profile.prefers_cross_region, profile.personalised = form.prefers_cross_region, form.personalised
    profile.updated_at = now
    session.add(profile)
    session.flush()
    detail = {"personalised": "开" if form.personalised else "关"}
    subject = f"account:{by.id}"
    trail.record(session, by, action="desk.save_profile", subject=subject, source=source, detail=detail, now=now)
    recommend(session, by.id, platform, pool=pool)
    return profile
