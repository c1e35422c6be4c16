"""What managers did in a month: every query of the figures that are not public."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.desk.tables import Case, Progress, Recommendation
from backend.desk.tables_pipeline import CaseStep, Contract, Introduction, StepKind
from backend.figures.months import Month
from backend.figures.repository import month_code, within

DEALT_WITH = (Progress.TAKEN, Progress.DISMISSED, Progress.SNOOZED, Progress.HANDED)
MOST_COLLEAGUES = 200


@dataclass(frozen=True)
class Activity:
    """What one manager did in one month; money in yuan."""

    received: int = 0
    dealt_with: int = 0
    taken: int = 0
    introduced: int = 0
    signed: int = 0
    total_yuan: int = 0
    technology_yuan: int = 0
    registered: int = 0


Key = tuple[UUID, str]


def find_activity(session: Session, manager_ids: Sequence[UUID], months: Sequence[Month]) -> Mapping[Key, Activity]:
    """Return what managers did by manager and month; who did nothing in a month is left out.

    What counts is who did it and when, whoever owns the case now.
    """
    mine = col(Recommendation.manager_id)
    taken = col(CaseStep.kind) == StepKind.TAKEN
    dealt = col(Recommendation.progress).in_(DEALT_WITH)
    one = sa.func.count()
    sums = one, sa.func.sum(col(Contract.total_yuan)), sa.func.sum(col(Contract.technology_yuan))
    asked: tuple[tuple[tuple[str, ...], Any, Any, tuple[Any, ...], bool, Any], ...] = (
        (("received",), mine, col(Recommendation.made_at), (one,), False, sa.true()),
        (("dealt_with",), mine, col(Recommendation.decided_at), (one,), False, dealt),
        (("taken",), col(CaseStep.by_id), col(CaseStep.at), (one,), False, taken),
        (("introduced",), col(Introduction.by_id), col(Introduction.sent_at), (one,), False, sa.true()),
        (
            ("signed", "total_yuan", "technology_yuan"),
            col(Contract.by_id),
            col(Contract.signed_on),
            sums,
            True,
            sa.true(),
        ),
        (("registered",), col(Contract.by_id), col(Contract.registered_on), (one,), True, sa.true()),
    )
    found: dict[Key, dict[str, int]] = {}
    for names, manager, when, counted, is_day, condition in asked:
        query = (
            sa.select(manager.label("manager"), month_code(when, months, is_day=is_day).label("month"), *counted)
            .where(manager.in_(manager_ids), within(when, months, is_day=is_day), condition)
            .group_by("manager", "month")
        )
        for manager_id, month, *values in session.execute(query):
            found.setdefault((manager_id, month), {}).update(zip(names, map(int, values), strict=True))
    return {key: Activity(**values) for key, values in found.items()}


def count_open_cases(session: Session, manager_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Count the cases that managers work on now."""
    query = (
        sa.select(col(Case.manager_id), sa.func.count())
        .where(col(Case.manager_id).in_(manager_ids), col(Case.closed_at).is_(None))
        .group_by(col(Case.manager_id))
    )
    return dict(session.execute(query).all())


def find_service_organisation(session: Session, account: Account) -> Organisation | None:
    """Return the service organisation that an account belongs to, if it does."""
    found = session.get(Organisation, account.organisation_id) if account.organisation_id else None
    return found if found is not None and found.kind is OrganisationKind.SERVICE else None


def find_managers_of(session: Session, organisation_id: UUID) -> Sequence[Account]:
    """Return the active technology managers of an organisation, by name."""
    query = select(Account).where(
        Account.organisation_id == organisation_id,
        Account.role == Role.MANAGER,
        col(Account.confirmed_at).is_not(None),
        col(Account.suspended_at).is_(None),
    )
    return session.exec(query.order_by(col(Account.display_name), col(Account.id)).limit(MOST_COLLEAGUES)).all()
