"""Every query of the public figures: counts only, never a person, an organisation or a single contract's amount."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from backend.desk.stages import CONCLUDED, Stage
from backend.desk.tables import Case, Recommendation
from backend.desk.tables_pipeline import CaseStep, Contract, UnansweredListing
from backend.figures.months import Month
from backend.listings.tables import Kind, Listing, ListingField, State

SUPPLY, DEMAND = aliased(Listing, name="flow_supply"), aliased(Listing, name="flow_demand")
SUPPLY_FIELD, DEMAND_FIELD = aliased(ListingField, name="supply_field"), aliased(ListingField, name="demand_field")
NO_FIELD = ""


class Measure(StrEnum):
    """What a flow between places counts."""

    CASES = "cases"
    CONTRACTS = "contracts"


@dataclass(frozen=True)
class Flow:
    """So many cases or contracts of one field from a supply's province to a demand's."""

    source: str
    field: str
    target: str
    count: int


@dataclass(frozen=True)
class ContractTotals:
    """How many contracts there are and what they come to, in yuan."""

    signed: int
    registered: int
    crossing: int
    total_yuan: int
    crossing_yuan: int


@dataclass(frozen=True)
class Waiting:
    """One need on record: published, and not taken up."""

    listing: Listing
    fields: tuple[str, ...]
    since: datetime
    was_given_up: bool


def province(column: Any) -> sa.ColumnElement[str]:
    """Return the province code of a region code: the first two digits say it."""
    return sa.func.substr(column, 1, 2).concat("0000")


def month_code(column: Any, months: Sequence[Month], *, is_day: bool = False) -> sa.ColumnElement[str]:
    """Return in which of these months, earliest first, a moment or a day lies."""
    ends = [(month.next.first_on if is_day else month.next.begins_at, month.code) for month in months]
    return sa.case(*[(column < end, code) for end, code in ends])


def within(column: Any, months: Sequence[Month], *, is_day: bool = False) -> sa.ColumnElement[bool]:
    """Tell whether a moment or a day lies in these months, earliest first."""
    first, after = months[0], months[-1].next
    begin, end = (first.first_on, after.first_on) if is_day else (first.begins_at, after.begins_at)
    return sa.and_(column >= begin, column < end)


def count_by_field(session: Session) -> Mapping[tuple[str, Kind, str], int]:
    """Count what is published by province, kind and field; a listing counts in each of its fields, or in none."""
    query = (
        sa.select(
            province(col(Listing.region_code)).label("place"),
            col(Listing.kind),
            sa.func.coalesce(col(ListingField.field_code), NO_FIELD).label("field"),
            sa.func.count(),
        )
        .outerjoin(ListingField, col(ListingField.listing_id) == Listing.id)
        .where(col(Listing.state) == State.PUBLISHED)
        .group_by("place", col(Listing.kind), "field")
    )
    return {(place, Kind(kind), field): count for place, kind, field, count in session.execute(query)}


def find_flows(session: Session, measure: Measure, *, since: Month | None = None, field: str = "") -> Sequence[Flow]:
    """Count cases or contracts by the supply's province, the field and the demand's province.

    The field is the first of the demand, else the first of the supply. `since` is the month in which a case was taken
    or a contract signed at the earliest.
    """
    is_contract = measure is Measure.CONTRACTS
    source = col(Contract.seller_region) if is_contract else col(SUPPLY.region_code)
    target = col(Contract.buyer_region) if is_contract else col(DEMAND.region_code)
    first = sa.func.coalesce(col(DEMAND_FIELD.field_code), col(SUPPLY_FIELD.field_code), NO_FIELD)
    query = (
        sa.select(
            province(source).label("source"),
            first.label("field"),
            province(target).label("target"),
            sa.func.count().label("count"),
        )
        .select_from(Case)
        .join(SUPPLY, col(SUPPLY.id) == Case.supply_id)
        .join(DEMAND, col(DEMAND.id) == Case.demand_id)
        .outerjoin(DEMAND_FIELD, _is_first(DEMAND_FIELD, Case.demand_id))
        .outerjoin(SUPPLY_FIELD, _is_first(SUPPLY_FIELD, Case.supply_id))
        .group_by("source", "field", "target")
    )
    if is_contract:
        query = query.join(Contract, col(Contract.case_id) == Case.id)
    if since is not None:
        query = query.where(
            col(Contract.signed_on) >= since.first_on if is_contract else col(Case.taken_at) >= since.begins_at
        )
    if field:
        query = query.where(first == field)
    return [Flow(*row) for row in session.execute(query.order_by("source", "field", "target"))]


def _is_first(field: Any, listing_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(field.listing_id == listing_id, field.position == 0)


def count_cases(session: Session) -> int:
    """Count all cases that were ever taken up."""
    return int(session.execute(sa.select(sa.func.count()).select_from(Case)).scalar_one())


def count_recommended_pairs(session: Session) -> int:
    """Count the pairs that were ever recommended to somebody; what was taken up was recommended, too.

    Each pair stands together in the index of the recommendations: nothing is sorted, however many they are.
    """
    recommended = sa.select(col(Recommendation.supply_id), col(Recommendation.demand_id)).distinct().subquery()
    is_known = sa.exists().where(
        col(Recommendation.supply_id) == Case.supply_id, col(Recommendation.demand_id) == Case.demand_id
    )
    others = sa.select(col(Case.supply_id), col(Case.demand_id)).where(~is_known).distinct().subquery()
    counts = [sa.select(sa.func.count()).select_from(pairs).scalar_subquery() for pairs in (recommended, others)]
    return int(sum(session.execute(sa.select(*counts)).one()))


def count_pairs_by_furthest_stage(session: Session) -> Mapping[Stage, int]:
    """Count the pairs that were taken up by the furthest stage each ever came to.

    What was put back later counts as having been there, but for signing: a contract that was taken back is none.
    """
    place = sa.case(*[(col(CaseStep.to_stage) == stage, stage.place) for stage in Stage])
    stands = sa.or_(col(CaseStep.to_stage).not_in(CONCLUDED), col(Case.stage).in_(CONCLUDED))
    furthest = (
        sa.select(sa.func.max(place).label("place"))
        .select_from(CaseStep)
        .join(Case, col(Case.id) == CaseStep.case_id)
        .where(stands)
        .group_by(col(Case.supply_id), col(Case.demand_id))
        .subquery()
    )
    stages = list(Stage)
    counted = sa.select(furthest.c.place, sa.func.count()).group_by(furthest.c.place)
    return {stages[place]: count for place, count in session.execute(counted)}


def sum_contracts(session: Session) -> ContractTotals:
    """Count all contracts and add up their amounts, those between two provinces also apart."""
    crosses = province(col(Contract.seller_region)) != province(col(Contract.buyer_region))
    query = sa.select(
        sa.func.count(),
        sa.func.count(col(Contract.registered_on)),
        sa.func.coalesce(sa.func.sum(sa.case((crosses, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(col(Contract.total_yuan)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((crosses, col(Contract.total_yuan)), else_=0)), 0),
    )
    return ContractTotals(*(int(value) for value in session.execute(query).one()))


def count_published_by_month(session: Session, months: Sequence[Month]) -> Mapping[tuple[str, str, Kind], int]:
    """Count listings by month of publication, province and kind, whatever became of them since."""
    query = (
        sa.select(
            month_code(col(Listing.published_at), months).label("month"),
            province(col(Listing.region_code)).label("place"),
            col(Listing.kind),
            sa.func.count(),
        )
        .where(within(col(Listing.published_at), months))
        .group_by("month", "place", col(Listing.kind))
    )
    return {(month, place, Kind(kind)): count for month, place, kind, count in session.execute(query)}


def count_cases_by_month(session: Session, months: Sequence[Month]) -> Mapping[str, int]:
    """Count cases by the month in which they were taken."""
    month = month_code(col(Case.taken_at), months).label("month")
    query = sa.select(month, sa.func.count()).where(within(col(Case.taken_at), months)).group_by("month")
    return dict(session.execute(query).all())


def count_contracts_by_month(session: Session, months: Sequence[Month]) -> Mapping[str, int]:
    """Count contracts by the month in which they were signed."""
    day = col(Contract.signed_on)
    month = month_code(day, months, is_day=True).label("month")
    query = sa.select(month, sa.func.count()).where(within(day, months, is_day=True)).group_by("month")
    return dict(session.execute(query).all())


def count_on_record(session: Session) -> int:
    """Count the needs that ever waited in vain, whether or not somebody answered later."""
    return int(session.execute(sa.select(sa.func.count(col(UnansweredListing.listing_id).distinct()))).scalar_one())


def count_waiting(session: Session) -> int:
    """Count the needs on record that are published and that nobody has taken up."""
    query = sa.select(sa.func.count(col(UnansweredListing.listing_id).distinct())).join(Listing).where(*_waits())
    return int(session.execute(query).scalar_one())


def find_waiting(session: Session, *, limit: int) -> Sequence[Waiting]:
    """Return the needs on record that are published and that nobody has taken up, longest waiting first."""
    since = sa.func.min(col(UnansweredListing.since)).label("since")
    query = (
        sa.select(Listing, since, sa.func.count(col(UnansweredListing.case_id)))
        .join(UnansweredListing, col(UnansweredListing.listing_id) == Listing.id)
        .where(*_waits())
        .group_by(col(Listing.id))
        .order_by("since", col(Listing.id))
    )
    rows = session.execute(query.limit(limit)).all()
    fields: dict[Any, list[str]] = {}
    chosen = sa.select(ListingField).where(col(ListingField.listing_id).in_([row[0].id for row in rows]))
    for field in session.execute(chosen.order_by(col(ListingField.position))).scalars():
        fields.setdefault(field.listing_id, []).append(field.field_code)
    return [Waiting(listing, tuple(fields.get(listing.id, ())), at, count > 0) for listing, at, count in rows]


def _waits() -> tuple[sa.ColumnElement[bool], ...]:
    return col(UnansweredListing.answered_at).is_(None), col(Listing.state) == State.PUBLISHED
