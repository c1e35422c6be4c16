"""Every query about cases, their steps, files and contracts, introductions and absences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.accounts.tables import Account, Organisation, Role
from backend.desk.stages import Stage
from backend.desk.tables import Case, ManagerAbsence, ManagerProfile
from backend.desk.tables_pipeline import CaseFile, CaseStep, ContactConsent, Contract, Introduction, UnansweredListing
from backend.listings.tables import Kind, Listing, State

USUAL_CAPACITY = 20
MOST_STEPS = 300
SUPPLY, DEMAND = aliased(Listing, name="case_supply"), aliased(Listing, name="case_demand")


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


@dataclass(frozen=True)
class CaseRow:
    """One case as a line of the pipeline."""

    case: Case
    demand_title: str
    supply_title: str
    demand_region: str
    supply_region: str
    total_yuan: int | None


def find_cases(
    session: Session, manager_id: UUID, *, is_open: bool, stage: Stage | None = None, limit: int, offset: int = 0
) -> Sequence[CaseRow]:
    """Return a manager's cases with the titles of both sides: open ones longest quiet first, ended latest first."""
    order = (col(Case.stepped_at), col(Case.id)) if is_open else (col(Case.closed_at).desc(), col(Case.id))
    query = (
        sa.select(
            Case,
            col(DEMAND.title),
            col(SUPPLY.title),
            col(DEMAND.region_code),
            col(SUPPLY.region_code),
            col(Contract.total_yuan),
        )
        .join(DEMAND, col(DEMAND.id) == Case.demand_id)
        .join(SUPPLY, col(SUPPLY.id) == Case.supply_id)
        .outerjoin(Contract, col(Contract.case_id) == Case.id)
        .where(*_own(manager_id, is_open=is_open, stage=stage))
    )
    return [CaseRow(*row) for row in session.execute(query.order_by(*order).offset(offset).limit(limit))]


def count_cases(session: Session, manager_id: UUID, *, is_open: bool) -> Mapping[Stage, int]:
    """Return how many of a manager's cases stand at each stage."""
    counted = (
        sa.select(col(Case.stage), sa.func.count()).where(*_own(manager_id, is_open=is_open)).group_by(col(Case.stage))
    )
    return {Stage(stage): count for stage, count in session.execute(counted)}


def _own(manager_id: UUID, *, is_open: bool, stage: Stage | None = None) -> list[sa.ColumnElement[bool]]:
    ended = col(Case.closed_at).is_(None) if is_open else col(Case.closed_at).is_not(None)
    return [col(Case.manager_id) == manager_id, ended, *([col(Case.stage) == stage] if stage else [])]


def find_steps(session: Session, case_id: UUID) -> Sequence[tuple[CaseStep, str]]:
    """Return the history of a case, latest first, each step with the name of who did it."""
    query = (
        sa.select(CaseStep, sa.func.coalesce(Account.display_name, ""))
        .outerjoin(Account, col(Account.id) == CaseStep.by_id)
        .where(col(CaseStep.case_id) == case_id)
        .order_by(col(CaseStep.id).desc())
    )
    return [(step, name) for step, name in session.execute(query.limit(MOST_STEPS))]


def find_files(session: Session, case_id: UUID) -> Sequence[CaseFile]:
    """Return the files of a case that were not removed, oldest first."""
    query = select(CaseFile).where(CaseFile.case_id == case_id, col(CaseFile.removed_at).is_(None))
    return session.exec(query.order_by(col(CaseFile.at), col(CaseFile.id)).limit(200)).all()


def count_files(session: Session, case_id: UUID) -> int:
    """Return how many files a case has."""
    kept = col(CaseFile.case_id) == case_id, col(CaseFile.removed_at).is_(None)
    return int(session.exec(select(sa.func.count()).select_from(CaseFile).where(*kept)).one())


def find_kept_file_names(session: Session) -> set[str]:
    """Return the names under which the bytes of all kept files lie."""
    return {file_id.hex for file_id in session.exec(select(CaseFile.id).where(col(CaseFile.removed_at).is_(None)))}


def find_introduction(session: Session, case_id: UUID) -> Introduction | None:
    """Return the introduction of a case, if there is one."""
    return session.exec(select(Introduction).where(Introduction.case_id == case_id)).first()


def find_consents(session: Session, introduction_id: UUID) -> Mapping[Kind, ContactConsent]:
    """Return what each side says to an introduction."""
    query = select(ContactConsent).where(ContactConsent.introduction_id == introduction_id)
    return {one.side: one for one in session.exec(query.execution_options(populate_existing=True))}


def find_own_introductions(
    session: Session, account_id: UUID, *, limit: int
) -> Sequence[tuple[ContactConsent, Introduction, Case]]:
    """Return the introductions that were sent to an account, latest first."""
    query = (
        sa.select(ContactConsent, Introduction, Case)
        .join(Introduction, col(Introduction.id) == ContactConsent.introduction_id)
        .join(Case, col(Case.id) == Introduction.case_id)
        .where(col(ContactConsent.account_id) == account_id)
        .order_by(col(Introduction.sent_at).desc(), col(Introduction.id), col(ContactConsent.side))
    )
    return [(consent, introduction, case) for consent, introduction, case in session.execute(query.limit(limit))]


def get_poster(session: Session, listing_id: UUID) -> tuple[Listing, Organisation]:
    """Return a listing with the organisation behind it."""
    query = select(Listing, Organisation).join(Organisation).where(Listing.id == listing_id)
    return session.exec(query).one()


def hold_pair(session: Session, case: Case) -> Mapping[UUID, Listing]:
    """Return both listings of a case; they stay as they are until this transaction ends."""
    ids = [case.supply_id, case.demand_id]
    query = select(Listing).where(col(Listing.id).in_(ids)).order_by(col(Listing.id)).with_for_update(read=True)
    return {row.id: row for row in session.exec(query.execution_options(populate_existing=True))}


def find_quiet_ids(session: Session, *, before: datetime) -> Sequence[UUID]:
    """Return the open cases in which nothing has happened since a moment."""
    query = select(Case.id).where(col(Case.closed_at).is_(None), col(Case.stepped_at) <= before)
    return session.exec(query.order_by(col(Case.id))).all()


def find_absences(session: Session, account_id: UUID) -> Sequence[ManagerAbsence]:
    """Return when a manager is or was away, earliest first."""
    query = select(ManagerAbsence).where(ManagerAbsence.account_id == account_id)
    return session.exec(query.order_by(col(ManagerAbsence.from_on), col(ManagerAbsence.id)).limit(200)).all()


def is_away(session: Session, account_id: UUID, day: date) -> bool:
    """Tell whether a manager is away on a day."""
    covers = ManagerAbsence.account_id == account_id, ManagerAbsence.from_on <= day, ManagerAbsence.until_on >= day
    return session.exec(select(ManagerAbsence.id).where(*covers).limit(1)).first() is not None


def find_colleagues(session: Session, account: Account, *, limit: int = 200) -> Sequence[tuple[Account, int]]:
    """Return the other active managers with their open cases, those of the same organisation first."""
    opened = (
        sa.select(sa.func.count())
        .where(col(Case.manager_id) == Account.id, col(Case.closed_at).is_(None))
        .correlate(Account)
        .scalar_subquery()
    )
    same = sa.case((col(Account.organisation_id) == account.organisation_id, 0), else_=1)
    query = (
        sa.select(Account, opened)
        .where(
            col(Account.role) == Role.MANAGER,
            col(Account.confirmed_at).is_not(None),
            col(Account.suspended_at).is_(None),
            col(Account.id) != account.id,
        )
        .order_by(same, col(Account.display_name), col(Account.id))
    )
    return [(one, count) for one, count in session.execute(query.limit(limit))]


def find_untaken_demands(session: Session, *, before: datetime, limit: int) -> Sequence[Listing]:
    """Return demands published before a moment that nobody ever took up and that are not on record yet."""
    taken = sa.exists().where(col(Case.demand_id) == Listing.id)
    recorded = sa.exists().where(col(UnansweredListing.listing_id) == Listing.id)
    waiting = Listing.kind == Kind.DEMAND, Listing.state == State.PUBLISHED, col(Listing.published_at) <= before
    query = select(Listing).where(*waiting, ~taken, ~recorded)
    return session.exec(query.order_by(col(Listing.published_at), col(Listing.id)).limit(limit)).all()


def mark_answered(session: Session, listing_id: UUID, *, now: datetime) -> None:
    """Note that somebody takes up what was on record as unanswered."""
    open_entries = col(UnansweredListing.listing_id) == listing_id, col(UnansweredListing.answered_at).is_(None)
    session.exec(sa.update(UnansweredListing).where(*open_entries).values(answered_at=now))


def unmark_answered(session: Session, listing_id: UUID, *, at: datetime) -> None:
    """Take back that somebody took a listing up at a moment."""
    entries = col(UnansweredListing.listing_id) == listing_id, col(UnansweredListing.answered_at) == at
    session.exec(sa.update(UnansweredListing).where(*entries).values(answered_at=None))


def find_pair_cases(session: Session, listing_ids: Sequence[UUID], *, limit: int) -> Sequence[Case]:
    """Return cases of which a side is among these listings, latest first."""
    concerned = sa.or_(col(Case.supply_id).in_(listing_ids), col(Case.demand_id).in_(listing_ids))
    return session.exec(
        select(Case).where(concerned).order_by(col(Case.taken_at).desc(), col(Case.id)).limit(limit)
    ).all()
