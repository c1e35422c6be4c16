"""The pause switch: a category of mail stays in the outbox, whole and in order, until it is let go on."""

from datetime import datetime

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.jobs.registry import enqueue
from backend.mail import repository
from backend.mail.tables import MailPause

RELEASE = "mail.release"
CATEGORIES = {
    "digest": "周报",
    "listing": "信息通知",
    "account": "账号邮件",
    "test": "试发",
}


def pause(session: Session, category: str, *, by: Account | str, now: datetime, source: str = "") -> bool:
    """Let no more mail of a category leave and tell whether that is new."""
    if category not in CATEGORIES:
        raise ValueError(f"no category of mail is called {category!r}; known: {', '.join(CATEGORIES)}")
    name = by.display_name if isinstance(by, Account) else by
    if session.get(MailPause, category) is not None:
        return False
    session.add(MailPause(category=category, paused_at=now, paused_by=name))
    session.flush()
    _note(session, "mail.pause", category, by=by, now=now, source=source)
    return True


def resume(session: Session, category: str, *, by: Account | str, now: datetime, source: str = "") -> bool:
    """Let a category go on, queue what waited, and tell whether it was paused."""
    known = session.get(MailPause, category)
    if known is None:
        return False
    session.delete(known)
    session.flush()
    enqueue(session, RELEASE, key=f"{RELEASE}:{category}:{now:%Y%m%d%H%M%S}", category=category)
    _note(session, "mail.resume", category, by=by, now=now, source=source)
    return True


def is_paused(session: Session, category: str) -> bool:
    """Tell whether a category of mail is paused."""
    return category in repository.find_paused(session)


def _note(session: Session, action: str, category: str, *, by: Account | str, now: datetime, source: str) -> None:
    trail.record(session, by, action=action, subject=f"mail:{category}", source=source, now=now)


trail.name_entries(
    actions={
        "mail.pause": "暂停发送",
        "mail.resume": "恢复发送",
        "mail.retry": "立即重试邮件",
        "mail.forgive": "恢复退信地址",
        "mail.send_test": "试发邮件",
    },
    subjects={"mail": "邮件", "address": "地址"},
)
