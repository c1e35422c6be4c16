"""The queries of the list: exact counts of every facet in one statement, and the ids of one page in another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from backend.listings.tables import (
    DemandDetail,
    Kind,
    Listing,
    ListingField,
    ListingMode,
    PriceKind,
    State,
    SupplyDetail,
)
from backend.matching.query import Band, Facet, Sort

Condition = sa.ColumnElement[bool]
Column = sa.SQLColumnExpression[Any]
TOTAL = "total"
WITHOUT = "without"
# The money of a listing whose range is open above, for comparison only.
NO_LIMIT = 2**62
CHANGES = (col(Listing.published_at), col(Listing.updated_at))


@dataclass(frozen=True)
class ListFilter:
    """What a listing must be to stand in the list; regions are spelled out, an empty choice asks nothing."""

    kind: Kind | None
    chosen: Mapping[Facet, Sequence[str]]
    ids: Sequence[UUID] | None = None
    changed_after: datetime | None = None
    not_owned_by: UUID | None = None

    def values(self, facet: Facet) -> Sequence[str]:
        """Return what is chosen in one facet."""
        if facet is Facet.KIND:
            return [self.kind.value] if self.kind else []
        return self.chosen.get(facet, ())


@dataclass(frozen=True)
class FacetCounts:
    """How many listings each value of each facet would give, every facet counted under all the others but itself."""

    values: Mapping[Facet, Mapping[str, int]]
    without: Mapping[Facet, int]
    """How many listings there are when a facet asks nothing."""
    total: int


def count_facets(session: Session, where: ListFilter) -> FacetCounts:
    """Count every facet and the whole result in one query."""
    # Worked out once, read by every part.
    pool = _pool(where).cte("pool").prefix_with("MATERIALIZED")
    parts = [_counted(TOTAL, sa.literal(""), pool, _passing(pool, where))]
    parts += [
        _counted(WITHOUT, sa.literal(facet.value), pool, _passing(pool, where, leaving_out=facet))
        for facet in Facet
        if where.values(facet)
    ]
    parts += [_facet_part(facet, pool, where) for facet in Facet]
    values: dict[Facet, dict[str, int]] = {facet: {} for facet in Facet}
    without: dict[Facet, int] = {}
    total = 0
    for name, value, count in _rows(session, sa.union_all(*parts)):
        if name == TOTAL:
            total = count
        elif name == WITHOUT:
            without[Facet(value)] = count
        elif name == Facet.MONEY:
            for band in _bands(int(value)):
                values[Facet.MONEY][band] = values[Facet.MONEY].get(band, 0) + count
        else:
            values[Facet(name)][value] = count
    return FacetCounts(values, {facet: without.get(facet, total) for facet in Facet}, total)


def find_ids(
    session: Session, where: ListFilter, *, sort: Sort, today: date, limit: int, offset: int = 0
) -> Sequence[UUID]:
    """Return the ids of the list in one order; ties go to the newest, then by id."""
    pool = _pool(where).subquery("pool")
    query = sa.select(pool.c.id).where(*_passing(pool, where)).order_by(*_order(pool, sort, today))
    return [listing_id for (listing_id,) in _rows(session, query.limit(limit).offset(offset))]


def _rows(session: Session, query: sa.sql.expression.Executable) -> Iterable[Any]:
    session.flush()
    return session.connection().execute(query).all()


def _pool(where: ListFilter) -> sa.Select[*tuple[Any, ...]]:
    """Return the published listings the question is about, each with what facets and orders look at.

    `ok_…` tells whether a listing passes what is chosen in one facet, for each facet in which anything is.
    """
    has_range = col(Listing.price_kind) == PriceKind.RANGE
    offered, needed = (
        sa.type_coerce(column, sa.String) for column in (col(SupplyDetail.maturity), col(DemandDetail.needs_maturity))
    )
    columns: dict[str, Column] = {
        "id": col(Listing.id),
        "kind": sa.type_coerce(col(Listing.kind), sa.String),
        "region": col(Listing.region_code),
        "park": col(Listing.park_code),
        "maturity": sa.func.coalesce(offered, needed),
        "money": _band_bits(has_range),
        "amount": sa.case((has_range, sa.func.coalesce(col(Listing.price_high), col(Listing.price_low)))),
        "deadline": col(Listing.deadline_on),
        "published_at": col(Listing.published_at),
    }
    passes = {
        f"ok_{facet}": sa.case((_holds(facet, columns, where.values(facet)), 1), else_=0)
        for facet in Facet
        if where.values(facet)
    }
    query: sa.Select[*tuple[Any, ...]] = (
        sa.select(*(column.label(name) for name, column in {**columns, **passes}.items()))
        .outerjoin(SupplyDetail, col(SupplyDetail.listing_id) == col(Listing.id))
        .outerjoin(DemandDetail, col(DemandDetail.listing_id) == col(Listing.id))
        .where(col(Listing.state) == State.PUBLISHED)
    )
    if where.ids is not None:
        query = query.where(col(Listing.id).in_(where.ids))
    if where.changed_after is not None:
        query = query.where(sa.or_(*(column > where.changed_after for column in CHANGES)))
    if where.not_owned_by is not None:
        query = query.where(col(Listing.owner_id) != where.not_owned_by)
    return query


def _band_bits(has_range: Condition) -> sa.ColumnElement[int]:
    """Return the bands that a listing's range touches, as a sum of 1 for the first band, 2 for the second, 4, 8, 16.

    Amounts are whole yuan; a range that is open below begins at 0, one that is open above has no end.
    """
    low = sa.func.coalesce(col(Listing.price_low), 0)
    high = sa.func.coalesce(col(Listing.price_high), NO_LIMIT)
    bits: sa.ColumnElement[int] = sa.literal(0)
    for place, band in enumerate(Band):
        if band.limits is None:
            touches: Condition = ~has_range
        else:
            above, up_to = band.limits
            touches = sa.and_(has_range, high > above, low <= (NO_LIMIT if up_to is None else up_to))
        bits = bits + sa.case((touches, 1 << place), else_=0)
    return bits


def _bands(bits: int) -> list[str]:
    return [band.value for place, band in enumerate(Band) if bits & 1 << place]


def _holds(facet: Facet, columns: Mapping[str, Column], values: Sequence[str]) -> Condition:
    """Return whether a listing has any of these values of a facet."""
    if facet is Facet.MONEY:
        wanted = sum(1 << place for place, band in enumerate(Band) if band.value in values)
        return columns["money"].bitwise_and(wanted) != 0
    if facet is Facet.FIELD:
        chosen = col(ListingField.listing_id) == columns["id"], col(ListingField.field_code).in_(values)
        return sa.exists().where(*chosen)
    if facet is Facet.MODE:
        return sa.exists().where(col(ListingMode.listing_id) == columns["id"], col(ListingMode.mode).in_(values))
    return columns[facet.value].in_(values)


def _passing(pool: sa.FromClause, where: ListFilter, *, leaving_out: Facet | None = None) -> list[Condition]:
    """Return the conditions of every facet in which something is chosen, but for one."""
    return [pool.c[f"ok_{facet}"] == 1 for facet in Facet if facet is not leaving_out and where.values(facet)]


def _facet_part(facet: Facet, pool: sa.FromClause, where: ListFilter) -> sa.Select[Any]:
    others = _passing(pool, where, leaving_out=facet)
    if facet not in {Facet.FIELD, Facet.MODE}:
        column: Column = pool.c[facet.value]
        text = sa.cast(column, sa.String)
        return _counted(facet.value, text, pool, [*others, column.is_not(None)]).group_by(text)
    table: type[ListingField | ListingMode] = ListingField if facet is Facet.FIELD else ListingMode
    column = col(ListingField.field_code) if facet is Facet.FIELD else col(ListingMode.mode)
    value = sa.type_coerce(column, sa.String)
    members = sa.join(pool, table, col(table.listing_id) == pool.c.id)
    return _counted(facet.value, value, members, others).group_by(value)


def _counted(
    name: str, value: sa.ColumnElement[Any], source: sa.FromClause, conditions: Sequence[Condition]
) -> sa.Select[Any]:
    columns = sa.literal(name).label("facet"), value.label("value"), sa.func.count().label("count")
    return sa.select(*columns).select_from(source).where(*conditions)


def _order(pool: sa.FromClause, sort: Sort, today: date) -> list[sa.ColumnElement[Any]]:
    """Return the columns of an order: deadlines ahead come first, then none stated, then those gone by."""
    newest = [pool.c.published_at.desc(), pool.c.id]
    if sort is Sort.DEADLINE:
        stage = sa.case((pool.c.deadline >= today, 0), (pool.c.deadline.is_(None), 1), else_=2)
        return [stage, pool.c.deadline, *newest]
    if sort is Sort.MONEY:
        return [sa.case((pool.c.amount.is_(None), 1), else_=0), pool.c.amount.desc(), *newest]
    return newest
