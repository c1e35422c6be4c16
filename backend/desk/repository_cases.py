"""Every query about cases, their steps, files and contracts."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.desk.tables import Case, ManagerProfile
from backend.desk.tables_pipeline import CaseStep, Contract

USUAL_CAPACITY = 20


def lock_case(session: Session, case_id: UUID) -> Case | None:
    """Return a case that nobody else can change until this transaction ends."""
    query = select(Case).where(Case.id == case_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def get_contract(session: Session, case_id: UUID) -> Contract:
    """Return the contract of a signed case. Raises: LookupError if there is none."""
    contract = session.get(Contract, case_id)
    if contract is None:
        raise LookupError(f"the case {case_id} has no contract")
    return contract


def count_open(session: Session, manager_id: UUID) -> int:
    """Return how many cases a manager works on."""
    query = (
        select(sa.func.count()).select_from(Case).where(Case.manager_id == manager_id, col(Case.closed_at).is_(None))
    )
    return int(session.exec(query).one())


def room_of(session: Session, manager_id: UUID) -> int:
    """Return how many more cases a manager can take; not above zero when the desk is full."""
    profile = session.get(ManagerProfile, manager_id)
    return (profile.capacity if profile else USUAL_CAPACITY) - count_open(session, manager_id)


def delete_untouched(session: Session, case: Case) -> None:
    """Take a case back of which nothing is known but that it was taken."""
    session.exec(sa.delete(CaseStep).where(col(CaseStep.case_id) == case.id))
    session.delete(case)
