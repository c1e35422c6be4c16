"""What the desk writes to people: introductions and their outcome to both sides, reminders to managers."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.desk import repository_cases
from backend.desk.tables import Case
from backend.desk.tables_pipeline import Answer, ContactConsent, Introduction
from backend.listings.tables import Kind, Listing
from backend.mail import outbox
from backend.mail.messages import compose, sender_of
from backend.platform import Platform

CATEGORY = "desk"
TEMPLATES = {
    "introduced": "introduction",
    "revealed": "introduction_agreed",
    "declined": "introduction_declined",
}


def tell_side(
    session: Session, platform: Platform, introduction: Introduction, consent: ContactConsent, *, what: str
) -> None:
    """Write to one side of an introduction, unless what there is to tell is no longer so."""
    if what == "introduced" and consent.answer is not Answer.PENDING:
        return
    case = session.get(Case, introduction.case_id)
    account = session.get(Account, consent.account_id)
    manager = session.get(Account, introduction.by_id)
    if case is None or account is None or manager is None or not account.is_active:
        return
    own, other = _sides(session, case, consent.side)
    _post(
        session,
        platform,
        TEMPLATES[what],
        account,
        key=f"{what}:{introduction.id}:{consent.side.value}",
        now=platform.clock(),
        kind=own.kind.label,
        title=_line(own.title),
        other_kind=other.kind.label,
        other_title=_line(other.title),
        manager=_line(manager.display_name),
        message=introduction.message,
        link=f"{platform.settings.base_url}/introductions/{introduction.id}/{consent.side.value}",
    )


def tell_given_up(session: Session, platform: Platform, case: Case, side: Kind) -> None:
    """Tell one side that nothing came of a case and that its listing is offered again."""
    own, other = _sides(session, case, side)
    account = session.get(Account, own.owner_id)
    if account is None or not account.is_active:
        return
    _post(
        session,
        platform,
        "case_given_up",
        account,
        key=f"given-up:{case.id}:{side.value}",
        now=platform.clock(),
        kind=own.kind.label,
        title=_line(own.title),
        other_kind=other.kind.label,
        other_title=_line(other.title),
        link=f"{platform.settings.base_url}/listings/{own.id}",
    )


def tell_manager(session: Session, platform: Platform, case: Case, *, nudge: int, give_up_days: int) -> None:
    """Remind the manager of a case in which nothing has happened."""
    account = session.get(Account, case.manager_id)
    if account is None or not account.is_active or case.nudges != nudge or case.closed_at is not None:
        return
    demand, supply = _sides(session, case, Kind.DEMAND)
    _post(
        session,
        platform,
        "case_quiet",
        account,
        key=f"nudge:{case.id}:{case.stepped_at:%Y%m%d%H%M%S}:{nudge}",
        now=platform.clock(),
        title=_line(demand.title),
        other_title=_line(supply.title),
        stage=case.stage.label,
        since=case.stepped_at,
        is_last=nudge > 1,
        give_up_days=give_up_days,
        link=f"{platform.settings.base_url}/desk/cases/{case.id}",
    )


def _sides(session: Session, case: Case, side: Kind) -> tuple[Listing, Listing]:
    supply, _ = repository_cases.get_poster(session, case.supply_id)
    demand, _ = repository_cases.get_poster(session, case.demand_id)
    return (demand, supply) if side is Kind.DEMAND else (supply, demand)


def _line(text: str) -> str:
    """Return a text on one line: a line separator is allowed in a title but not in a mail's subject."""
    return " ".join(text.split())


def _post(
    session: Session, platform: Platform, template: str, account: Account, *, key: str, now: datetime, **values: Any
) -> None:
    message = compose(
        template,
        recipient=account.email,
        recipient_name=account.display_name,
        category=CATEGORY,
        sender=sender_of(platform.settings),
        **values,
    )
    outbox.post(session, message, key=key, now=now)
