"""Every query on what can be recommended: judged pairs, what is known of their listings, and how often who is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.desk.stages import Stage
from backend.desk.tables import Case, JudgedPair, JudgingMark, OrganisationExposure, Progress, Recommendation
from backend.listings.tables import Listing, ListingField, State
from backend.matching.tables import IndexChange

SUPPLY, DEMAND = aliased(Listing, name="supply"), aliased(Listing, name="demand")
CHUNK = 500
# A demand rests while so many managers work on it: a fourth would only add to its post.
ENOUGH = 3


@dataclass(frozen=True)
class ListingFacts:
    """What the scoring needs of one published listing."""

    id: UUID
    region_code: str
    title: str
    keywords: list[str]
    deadline_on: date | None
    updated_at: datetime
    organisation_id: UUID
    industry_code: str | None


def find_pool(session: Session) -> Sequence[JudgedPair]:
    """Return the judged pairs whose listings are published, that nobody works on, and whose demand does not rest."""
    query = (
        select(JudgedPair)
        .join(SUPPLY, col(SUPPLY.id) == JudgedPair.supply_id)
        .join(DEMAND, col(DEMAND.id) == JudgedPair.demand_id)
        .where(
            SUPPLY.state == State.PUBLISHED,
            DEMAND.state == State.PUBLISHED,
            ~settled(JudgedPair.supply_id, JudgedPair.demand_id),
            ~rests(JudgedPair.demand_id),
        )
    )
    return session.exec(query.order_by(col(JudgedPair.demand_id), col(JudgedPair.supply_id))).all()


def load_facts(session: Session) -> Mapping[UUID, ListingFacts]:
    """Return the facts of every published listing."""
    wanted = [getattr(Listing, name) for name in ListingFacts.__dataclass_fields__]
    rows = session.connection().execute(sa.select(*wanted).where(col(Listing.state) == State.PUBLISHED))
    return {row.id: ListingFacts(*row) for row in rows}


def settled(supply_id: object, demand_id: object) -> sa.Exists:
    """Tell in a query whether somebody works on a pair, or brought it to a contract."""
    is_settled = sa.or_(col(Case.closed_at).is_(None), col(Case.stage) == Stage.REGISTERED)
    return sa.exists().where(col(Case.supply_id) == supply_id, col(Case.demand_id) == demand_id, is_settled)


def rests(demand_id: UUID) -> sa.ColumnElement[bool]:
    """Tell in a query whether enough managers work on a demand already, so that it is offered to no more."""
    at_work = sa.select(col(Case.demand_id)).where(col(Case.closed_at).is_(None)).group_by(col(Case.demand_id))
    return col(demand_id).in_(at_work.having(sa.func.count() >= ENOUGH))


def count_others(session: Session) -> Mapping[UUID, int]:
    """Return how many managers work on each demand that anybody works on."""
    query = (
        sa.select(col(Case.demand_id), sa.func.count())
        .where(col(Case.closed_at).is_(None))
        .group_by(col(Case.demand_id))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def find_exposure(session: Session) -> Mapping[UUID, int]:
    """Return how often each organisation stood in open queues when the last run began."""
    return {row.organisation_id: row.shown for row in session.exec(select(OrganisationExposure))}


def replace_exposure(session: Session) -> None:
    """Count anew how often each organisation stands in open queues, on either side of a pair."""
    is_open = col(Recommendation.progress) == Progress.OPEN
    both: tuple[Any, ...] = col(Recommendation.supply_id), col(Recommendation.demand_id)
    sides = [
        sa.select(side.label("listing_id"), sa.func.count().label("shown")).where(is_open).group_by(side)
        for side in both
    ]
    shown = sa.union_all(*sides).subquery()
    counted = (
        sa.select(col(Listing.organisation_id), sa.func.sum(shown.c.shown))
        .join(shown, shown.c.listing_id == col(Listing.id))
        .group_by(col(Listing.organisation_id))
    )
    session.exec(sa.delete(OrganisationExposure))
    session.exec(sa.insert(OrganisationExposure).from_select(["organisation_id", "shown"], counted))


def load_fields(session: Session) -> Mapping[UUID, frozenset[str]]:
    """Return the priority fields of every published listing that has any."""
    query = select(ListingField).join(Listing).where(Listing.state == State.PUBLISHED)
    fields: dict[UUID, set[str]] = {}
    for row in session.exec(query):
        fields.setdefault(row.listing_id, set()).add(row.field_code)
    return {listing_id: frozenset(codes) for listing_id, codes in fields.items()}


def find_mark(session: Session, encoder: str) -> JudgingMark | None:
    """Return up to where pairs are judged by an encoder with its ranker, if any are."""
    query = select(JudgingMark).where(JudgingMark.encoder == encoder)
    return session.exec(query.execution_options(populate_existing=True)).first()


def lock_mark(session: Session, encoder: str) -> JudgingMark | None:
    """Return the mark of an encoder with its ranker; nobody else moves it until this transaction ends."""
    query = select(JudgingMark).where(JudgingMark.encoder == encoder).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def find_changed_ids(session: Session, *, after: int, until: int) -> Sequence[UUID]:
    """Return the listings that changed after one change of the market and not after another."""
    between = col(IndexChange.seq) > after, col(IndexChange.seq) <= until
    return session.exec(
        select(IndexChange.listing_id).where(*between).distinct().order_by(col(IndexChange.listing_id))
    ).all()


def find_demands_of(session: Session, supply_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Return the demands that are judged together with any of these supplies."""
    found: set[UUID] = set()
    for start in range(0, len(supply_ids), CHUNK):
        chosen = col(JudgedPair.supply_id).in_(supply_ids[start : start + CHUNK])
        found |= set(session.exec(select(JudgedPair.demand_id).where(chosen).distinct()))
    return sorted(found, key=str)


def replace_pairs(session: Session, demand_ids: Sequence[UUID], pairs: Sequence[JudgedPair]) -> None:
    """Put these pairs in the place of all that was judged of some demands."""
    for start in range(0, len(demand_ids), CHUNK):
        chosen = col(JudgedPair.demand_id).in_(demand_ids[start : start + CHUNK])
        session.exec(sa.delete(JudgedPair).where(chosen))
    session.add_all(pairs)
    session.flush()


def clear_pairs(session: Session, *, encoder: str) -> None:
    """Forget every judged pair, and that another encoder or ranker than this one ever judged any."""
    session.exec(sa.delete(JudgedPair))
    session.exec(sa.delete(JudgingMark).where(col(JudgingMark.encoder) != encoder))
