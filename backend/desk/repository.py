"""Every query of the desk on managers, recommendations and the cases they became."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.accounts.tables import Account, Role
from backend.desk.repository_pool import CHUNK, DEMAND, SUPPLY, rests, settled
from backend.desk.tables import (
    Case,
    JudgedPair,
    ManagerProfile,
    Progress,
    Recommendation,
)
from backend.listings.tables import Listing, State
from backend.matching.tables import MatchFeedback

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


def find_manager_ids(session: Session, *, first: UUID | None = None, last: UUID | None = None) -> Sequence[UUID]:
    """Return the ids of the technology managers who can act, in order of id; only those from `first` to `last`."""
    active = col(Account.confirmed_at).is_not(None), col(Account.suspended_at).is_(None)
    query = select(Account.id).where(Account.role == Role.MANAGER, *active)
    if first is not None and last is not None:
        query = query.where(col(Account.id).between(first, last))
    return session.exec(query.order_by(col(Account.id))).all()


def lock_manager(session: Session, manager_id: UUID) -> Account | None:
    """Return a manager's account; nobody else makes recommendations for it until this transaction ends."""
    query = select(Account).where(Account.id == manager_id).with_for_update(key_share=True)
    return session.exec(query.execution_options(populate_existing=True)).first()


def find_profile(session: Session, manager_id: UUID) -> ManagerProfile | None:
    """Return what a manager said to care for, if anything."""
    return session.get(ManagerProfile, manager_id)


def find_profiles(session: Session, manager_ids: Sequence[UUID]) -> Mapping[UUID, ManagerProfile]:
    """Return what these managers said to care for; who said nothing is left out."""
    found: dict[UUID, ManagerProfile] = {}
    for start in range(0, len(manager_ids), CHUNK):
        query = select(ManagerProfile).where(col(ManagerProfile.account_id).in_(manager_ids[start : start + CHUNK]))
        found |= {profile.account_id: profile for profile in session.exec(query)}
    return found


def find_recommendations(session: Session, manager_id: UUID) -> dict[tuple[UUID, UUID], Recommendation]:
    """Return everything ever recommended to a manager, by supply and demand."""
    query = select(Recommendation).where(Recommendation.manager_id == manager_id)
    rows = session.exec(query.execution_options(populate_existing=True))
    return {(row.supply_id, row.demand_id): row for row in rows}


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


def find_rows(
    session: Session, manager_id: UUID, tab: Tab, *, now: datetime, limit: int, offset: int = 0
) -> Sequence[Recommendation]:
    """Return one page of one list; what was put off until today was asked for and comes before all else."""
    if tab is not Tab.OPEN:
        query = _mine(select(Recommendation), manager_id).where(_is_in(tab, now)).order_by(*ORDERS[tab])
        return session.exec(query.offset(offset).limit(limit)).all()
    # Two queries instead of one with OR: either walks its index in order and stops when the page is full.
    free = _mine(select(Recommendation), manager_id).where(*_is_free()).order_by(*ORDERS[tab])
    awaited = session.exec(free.where(_is_snoozed(), _is_due(now)).limit(offset + limit)).all()
    missing = offset + limit - len(awaited)
    if missing <= 0:
        return awaited[offset:]
    others = free.where(col(Recommendation.progress) == Progress.OPEN)
    first = max(0, offset - len(awaited))
    return [*awaited[offset:], *session.exec(others.offset(first).limit(min(limit, missing)))]


def count_tabs(session: Session, manager_id: UUID, *, now: datetime) -> Mapping[Tab, int]:
    """Return how many pairs each list has, in one query."""
    counts: list[Any] = [sa.func.count(sa.case((_is_in(tab, now), 1))) for tab in Tab]
    query = _mine(sa.select(*counts).select_from(Recommendation), manager_id)
    kept = col(Recommendation.progress).in_(LISTED)
    return dict(zip(Tab, session.execute(query.where(kept)).one(), strict=True))


LISTED = (Progress.OPEN, Progress.TAKEN, Progress.SNOOZED, Progress.DISMISSED)
ORDERS: dict[Tab, tuple[Any, ...]] = {
    Tab.OPEN: (col(Recommendation.score).desc(), col(Recommendation.id)),
    Tab.TAKEN: (col(Recommendation.decided_at).desc(), col(Recommendation.id)),
    Tab.SNOOZED: (col(Recommendation.snoozed_until), col(Recommendation.id)),
    Tab.DISMISSED: (col(Recommendation.decided_at).desc(), col(Recommendation.id)),
}


def _mine(query: Query, manager_id: UUID) -> Query:
    """Ask for one manager's recommendations, with both listings beside them."""
    joined = query.join(SUPPLY, col(SUPPLY.id) == Recommendation.supply_id)
    return joined.join(DEMAND, col(DEMAND.id) == Recommendation.demand_id).where(
        col(Recommendation.manager_id) == manager_id
    )


def _is_in(tab: Tab, now: datetime) -> sa.ColumnElement[bool]:
    """Tell in a query whether a recommendation belongs to a list; what was taken stays, whatever became of it."""
    if tab is Tab.TAKEN:
        return col(Recommendation.progress) == Progress.TAKEN
    if tab is Tab.SNOOZED:
        return sa.and_(_is_snoozed(), ~_is_due(now), *_is_public())
    if tab is Tab.DISMISSED:
        return sa.and_(col(Recommendation.progress) == Progress.DISMISSED, *_is_public())
    waiting = sa.or_(col(Recommendation.progress) == Progress.OPEN, sa.and_(_is_snoozed(), _is_due(now)))
    return sa.and_(waiting, *_is_free())


def _is_snoozed() -> sa.ColumnElement[bool]:
    return col(Recommendation.progress) == Progress.SNOOZED


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return col(Recommendation.snoozed_until) <= now


def _is_public() -> tuple[sa.ColumnElement[bool], ...]:
    return col(SUPPLY.state) == State.PUBLISHED, col(DEMAND.state) == State.PUBLISHED


def _is_free() -> tuple[sa.ColumnElement[bool], ...]:
    """Tell in a query whether a pair can be taken: both sides published, nobody at work, the demand not at rest."""
    is_settled = settled(Recommendation.supply_id, Recommendation.demand_id)
    return *_is_public(), ~is_settled, ~rests(Recommendation.demand_id)


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
