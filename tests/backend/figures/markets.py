"""A small market with a past in which every number is known."""

from datetime import date, datetime
from typing import Any

from factories import MONDAY, make_account, make_listing
from sqlmodel import Session

from backend.accounts.tables import Account, Role
from backend.desk import cases, decisions, introductions
from backend.desk.cases import Deed
from backend.desk.stages import Stage
from backend.desk.tables import Case, Recommendation
from backend.desk.tables_pipeline import Contract, ContractKind
from backend.listings.tables import Kind, Listing


def make_sides(
    session: Session, *, supply: str = "110108", demand: str = "130200", fields: list[str] | None = None
) -> tuple[Listing, Listing]:
    """Publish a supply and a demand of some fields in two places."""
    tags = ["tcm"] if fields is None else fields
    one = make_listing(session, kind=Kind.SUPPLY, region_code=supply, fields=tags)
    return one, make_listing(session, kind=Kind.DEMAND, region_code=demand, fields=tags)


def recommend_pair(
    session: Session, manager: Account, sides: tuple[Listing, Listing], *, at: datetime = MONDAY
) -> Recommendation:
    """Put a pair into a manager's queue."""
    supply, demand = sides
    pair = {"supply_id": supply.id, "demand_id": demand.id, "level": "fair", "fingerprint": "f" * 64}
    row = Recommendation(manager_id=manager.id, score=1.0, made_at=at, **pair)
    session.add(row)
    session.flush()
    return row


def take_pair(
    session: Session,
    manager: Account | None = None,
    *,
    at: datetime = MONDAY,
    stage: Stage | None = None,
    **places: Any,
) -> Case:
    """Recommend a pair and take it up; it may have come further."""
    manager = manager or make_account(session, role=Role.MANAGER)
    row = recommend_pair(session, manager, make_sides(session, **places), at=at)
    case = decisions.take(session, row.id, by=manager, now=at)
    if stage is not None:
        cases.move(session, case.id, to=stage, deed=Deed(manager, at))
    return case


def sign_case(session: Session, case: Case, *, on: date, yuan: int, at: datetime = MONDAY, **changes: Any) -> Contract:
    """Bring a case to a contract."""
    manager = session.get_one(Account, case.manager_id)
    cases.move(session, case.id, to=Stage.PROPOSAL, deed=Deed(manager, at))
    values = {
        "kind": ContractKind.LICENCE,
        "buyer_region": session.get_one(Listing, case.demand_id).region_code,
        "seller_region": session.get_one(Listing, case.supply_id).region_code,
        "technology_yuan": yuan // 2,
    }
    contract = Contract(
        case_id=case.id, total_yuan=yuan, signed_on=on, by_id=manager.id, at=at, **{**values, **changes}
    )
    cases.sign(session, case.id, contract=contract, deed=Deed(manager, at))
    return contract


def introduce_case(session: Session, case: Case, *, at: datetime = MONDAY) -> None:
    """Introduce both sides of a case."""
    manager = session.get_one(Account, case.manager_id)
    introductions.introduce(session, case.id, message="", deed=Deed(manager, at))
