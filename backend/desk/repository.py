"""Every query of the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.accounts.tables import Account, Role
from backend.desk.stages import Stage
from backend.desk.tables import Case, JudgedPair, JudgingMark, ManagerProfile, Progress, Recommendation
from backend.listings.tables import Listing, ListingField, State
from backend.matching.tables import IndexChange, MatchFeedback

SUPPLY, DEMAND = aliased(Listing, name="supply"), aliased(Listing, name="demand")
CHUNK = 500
# A demand rests while so many managers work on it: a fourth would only add to its post.
ENOUGH = 3
Query = TypeVar("Query", bound="sa.Select[Any]")


class Tab(StrEnum):
    """The four lists of a desk."""

    OPEN = "open"
    TAKEN = "taken"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return TAB_LABELS[self]


TAB_LABELS = {
    Tab.OPEN: Progress.OPEN.label,
    Tab.TAKEN: Progress.TAKEN.label,
    Tab.SNOOZED: Progress.SNOOZED.label,
    Tab.DISMISSED: Progress.DISMISSED.label,
}


def find_manager_ids(session: Session) -> Sequence[UUID]:
    """Return the ids of the technology managers who can act, in order of id."""
    active = col(Account.confirmed_at).is_not(None), col(Account.suspended_at).is_(None)
    query = select(Account.id).where(Account.role == Role.MANAGER, *active)
    return session.exec(query.order_by(col(Account.id))).all()


def lock_manager(session: Session, manager_id: UUID) -> Account | None:
    """Return a manager's account; nobody else makes recommendations for it until this transaction ends."""
    query = select(Account).where(Account.id == manager_id).with_for_update(key_share=True)
    return session.exec(query.execution_options(populate_existing=True)).first()


def find_profile(session: Session, manager_id: UUID) -> ManagerProfile | None:
    """Return what a manager said to care for, if anything."""
    return session.get(ManagerProfile, manager_id)


def find_recommendations(session: Session, manager_id: UUID) -> dict[tuple[UUID, UUID], Recommendation]:
    """Return everything ever recommended to a manager, by supply and demand."""
    query = select(Recommendation).where(Recommendation.manager_id == manager_id)
    rows = session.exec(query.execution_options(populate_existing=True))
    return {(row.supply_id, row.demand_id): row for row in rows}


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
            ~_settled(JudgedPair.supply_id, JudgedPair.demand_id),
            ~_rests(JudgedPair.demand_id),
        )
    )
    return session.exec(query.order_by(col(JudgedPair.demand_id), col(JudgedPair.supply_id))).all()


def load_facts(session: Session) -> Mapping[UUID, ListingFacts]:
    """Return the facts of every published listing."""
    wanted = [getattr(Listing, name) for name in ListingFacts.__dataclass_fields__]
    rows = session.connection().execute(sa.select(*wanted).where(col(Listing.state) == State.PUBLISHED))
    return {row.id: ListingFacts(*row) for row in rows}


def _settled(supply_id: object, demand_id: object) -> sa.Exists:
    """Tell in a query whether somebody works on a pair, or brought it to a contract."""
    is_settled = sa.or_(col(Case.closed_at).is_(None), col(Case.stage) == Stage.REGISTERED)
    return sa.exists().where(col(Case.supply_id) == supply_id, col(Case.demand_id) == demand_id, is_settled)


def _rests(demand_id: UUID) -> sa.ColumnElement[bool]:
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


def count_open_by_listing(session: Session) -> Mapping[UUID, int]:
    """Return in how many open recommendations each listing stands."""
    counts: dict[UUID, int] = {}
    for side in (col(Recommendation.supply_id), col(Recommendation.demand_id)):
        counted = sa.select(side, sa.func.count()).where(col(Recommendation.progress) == Progress.OPEN).group_by(side)
        counts |= {row[0]: row[1] for row in session.execute(counted)}
    return counts


def find_decided(session: Session, manager_id: UUID, *, since: datetime | None, limit: int) -> Sequence[Recommendation]:
    """Return what a manager took or dismissed, latest first."""
    query = select(Recommendation).where(
        Recommendation.manager_id == manager_id,
        col(Recommendation.progress).in_([Progress.TAKEN, Progress.DISMISSED]),
        *([col(Recommendation.decided_at) > since] if since else []),
    )
    return session.exec(
        query.order_by(col(Recommendation.decided_at).desc(), col(Recommendation.id)).limit(limit)
    ).all()


@dataclass(frozen=True)
class Scored:
    """What orders one open recommendation: its score, and what of it was not learned."""

    id: UUID
    score: float
    base: float
    traits: Sequence[str]


def find_scores(session: Session, manager_id: UUID) -> list[Scored]:
    """Return the scores of a manager's open recommendations that say what they are made of."""
    wanted = sa.select(col(Recommendation.id), col(Recommendation.score), col(Recommendation.detail)).where(
        col(Recommendation.manager_id) == manager_id, col(Recommendation.progress) == Progress.OPEN
    )
    rows = session.execute(wanted).all()
    return [Scored(id_, score, detail["base"], detail["traits"]) for id_, score, detail in rows if "base" in detail]


def change_scores(session: Session, changed: Sequence[Mapping[str, Any]]) -> None:
    """Give recommendations new scores; each entry has `row_id` and `new_score`."""
    if changed:
        table = Recommendation.__table__  # type: ignore[attr-defined]
        update = table.update().where(table.c.id == sa.bindparam("row_id")).values(score=sa.bindparam("new_score"))
        session.connection().execute(update, list(changed))


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


def find_rows(
    session: Session, manager_id: UUID, tab: Tab, *, now: datetime, limit: int, offset: int = 0
) -> Sequence[Recommendation]:
    """Return one page of one list."""
    query = _in_tab(select(Recommendation), manager_id, tab, now).order_by(*ORDERS[tab])
    return session.exec(query.offset(offset).limit(limit)).all()


def count_rows(session: Session, manager_id: UUID, tab: Tab, *, now: datetime) -> int:
    """Return how many pairs one list has."""
    counted = select(sa.func.count()).select_from(Recommendation)
    return int(session.exec(_in_tab(counted, manager_id, tab, now)).one())


# What was put off until today was asked for: it comes before what nobody asked for.
WAS_SNOOZED = sa.case((col(Recommendation.progress) == Progress.SNOOZED, 0), else_=1)
ORDERS: dict[Tab, tuple[Any, ...]] = {
    Tab.OPEN: (WAS_SNOOZED, col(Recommendation.score).desc(), col(Recommendation.id)),
    Tab.TAKEN: (col(Recommendation.decided_at).desc(), col(Recommendation.id)),
    Tab.SNOOZED: (col(Recommendation.snoozed_until), col(Recommendation.id)),
    Tab.DISMISSED: (col(Recommendation.decided_at).desc(), col(Recommendation.id)),
}


def _in_tab(query: Query, manager_id: UUID, tab: Tab, now: datetime) -> Query:
    mine = query.where(col(Recommendation.manager_id) == manager_id)
    if tab is Tab.TAKEN:
        return mine.where(col(Recommendation.progress) == Progress.TAKEN)
    shown = (
        mine.join(SUPPLY, col(SUPPLY.id) == Recommendation.supply_id)
        .join(DEMAND, col(DEMAND.id) == Recommendation.demand_id)
        .where(col(SUPPLY.state) == State.PUBLISHED, col(DEMAND.state) == State.PUBLISHED)
    )
    is_snoozed, is_due = col(Recommendation.progress) == Progress.SNOOZED, col(Recommendation.snoozed_until) <= now
    if tab is Tab.SNOOZED:
        return shown.where(is_snoozed, ~is_due)
    if tab is Tab.DISMISSED:
        return shown.where(col(Recommendation.progress) == Progress.DISMISSED)
    waiting = sa.or_(col(Recommendation.progress) == Progress.OPEN, sa.and_(is_snoozed, is_due))
    is_free = ~_settled(Recommendation.supply_id, Recommendation.demand_id), ~_rests(Recommendation.demand_id)
    return shown.where(waiting, *is_free)


def find_recommendation(
    session: Session, manager_id: UUID, *, supply_id: UUID, demand_id: UUID
) -> Recommendation | None:
    """Return what was recommended to a manager of one pair."""
    query = select(Recommendation).where(
        Recommendation.manager_id == manager_id,
        Recommendation.supply_id == supply_id,
        Recommendation.demand_id == demand_id,
    )
    return session.exec(query).first()


def find_handed_on(session: Session, by_id: UUID, *, supply_id: UUID, demand_id: UUID) -> Sequence[Recommendation]:
    """Return where one manager passed a pair on to, locked."""
    query = select(Recommendation).where(
        Recommendation.handed_by_id == by_id,
        Recommendation.supply_id == supply_id,
        Recommendation.demand_id == demand_id,
    )
    return session.exec(query.order_by(col(Recommendation.id)).with_for_update()).all()


def lock_recommendation(session: Session, recommendation_id: UUID) -> Recommendation | None:
    """Return a recommendation that nobody else can decide on until this transaction ends."""
    query = select(Recommendation).where(Recommendation.id == recommendation_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def hold_listings(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Listing]:
    """Return listings that stay as they are until this transaction ends, taken in one order by everybody."""
    query = select(Listing).where(col(Listing.id).in_(ids)).order_by(col(Listing.id)).with_for_update(read=True)
    return {row.id: row for row in session.exec(query.execution_options(populate_existing=True))}


def find_open_case(session: Session, supply_id: UUID, demand_id: UUID) -> Case | None:
    """Return the case in which somebody works on a pair, if there is one."""
    query = select(Case).where(Case.supply_id == supply_id, Case.demand_id == demand_id, col(Case.closed_at).is_(None))
    return session.exec(query).first()


def find_own_cases(
    session: Session, manager_id: UUID, pairs: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], Case]:
    """Return a manager's open cases of these (supply, demand) pairs."""
    supplies = [supply for supply, _ in pairs]
    query = select(Case).where(
        Case.manager_id == manager_id, col(Case.supply_id).in_(supplies), col(Case.closed_at).is_(None)
    )
    found = {(case.supply_id, case.demand_id): case for case in session.exec(query)}
    return {pair: case for pair, case in found.items() if pair in set(pairs)}


def find_judged_pair(session: Session, supply_id: UUID, demand_id: UUID) -> JudgedPair | None:
    """Return how a pair was judged last, if it was among a demand's best."""
    return session.get(JudgedPair, (demand_id, supply_id))


def forget_feedback(session: Session, account_id: UUID, *, supply_id: UUID, demand_id: UUID) -> None:
    """Take back what an account said of a pair."""
    said = col(MatchFeedback.account_id) == account_id, col(MatchFeedback.supply_id) == supply_id
    session.exec(sa.delete(MatchFeedback).where(*said, col(MatchFeedback.demand_id) == demand_id))
