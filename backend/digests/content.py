"""What one digest tells, found before anything is kept or sent, so that a preview is the real thing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account, Role
from backend.desk import service as desk
from backend.desk.tables import JudgedPair, Recommendation
from backend.digests import finds, notices, repository
from backend.digests.items import Content, Item, make_item
from backend.digests.judging import judged_pairs
from backend.listings import repository as listings
from backend.matching import repository as matching
from backend.matching.bridges import Pair, bridge_of
from backend.platform import Platform
from models.relevance import MatchLevel

MOST_ITEMS = 7
# So many of the queue's best are looked through for what was not shown before.
LOOKED_AT = 200
FLOORS = (MatchLevel.STRONG, MatchLevel.FAIR, MatchLevel.WEAK)


def find_content(
    session: Session, account: Account, *, platform: Platform, now: datetime, floor: MatchLevel = MatchLevel.FAIR
) -> Content:
    """Return everything that is new for an account: pairs no weaker than `floor`, and notices never told before."""
    find = _manager_items if account.role is Role.MANAGER else _member_items
    items = tuple(islice(find(session, account, platform=platform, now=now, floor=floor), MOST_ITEMS))
    told, base = repository.find_told(session, account.id), platform.settings.base_url
    found = tuple(finds.find_new(session, account, told=told, platform=platform))
    if account.role is Role.MANAGER:
        expiring = notices.find_expiring_of_manager(session, account, told=told, base=base, now=now)
        moves = notices.find_moves(session, account, told=told, base=base)
        return Content(items, tuple(expiring), tuple(moves), found)
    expiring = notices.find_expiring_own(session, account, told=told, base=base, now=now)
    return Content(items, tuple(expiring), found=found)


def _manager_items(
    session: Session, manager: Account, *, platform: Platform, now: datetime, floor: MatchLevel
) -> Iterator[Item]:
    """Yield what waits in a manager's queue and was not shown yet: the good ones first, the queue's order kept."""
    waiting = desk.find_waiting(session, manager.id, now=now, limit=LOOKED_AT)
    rows = [row for row in waiting if MatchLevel(row.level).order >= floor.order]
    shown = repository.find_shown(session, manager.id)
    fresh = sorted(_fresh(session, rows, shown), key=lambda row: row.level == MatchLevel.WEAK)
    for row, pair in _judged(session, fresh, platform=platform, floor=floor):
        yield make_item(
            pair,
            bridge_of(pair, catalogue=platform.catalogue, reader=manager),
            why=row.reason,
            href=f"/desk/recommendations/{row.id}",
            settings=platform.settings,
            recommendation_id=row.id,
            is_changed=_was_shown(shown, row),
        )


def _member_items(
    session: Session, member: Account, *, platform: Platform, now: datetime, floor: MatchLevel
) -> Iterator[Item]:
    """Yield what answers a member's own published listings and was not shown yet, best first."""
    del now
    pairs = repository.find_own_pairs(session, member.id, limit=LOOKED_AT)
    rows = [row for row in pairs if MatchLevel(row.level).order >= floor.order]
    shown = repository.find_shown(session, member.id)
    fresh = sorted(_fresh(session, rows, shown), key=lambda row: -MatchLevel(row.level).order)
    for row, pair in _judged(session, fresh, platform=platform, floor=floor):
        own = pair.demand if pair.demand.listing.owner_id == member.id else pair.supply
        yield make_item(
            pair,
            bridge_of(pair, catalogue=platform.catalogue, reader=member),
            why=f"您发布的{own.listing.kind.label}《{own.listing.title}》有了新的匹配",
            href=f"/pairs/{row.demand_id}/{row.supply_id}",
            settings=platform.settings,
            is_changed=_was_shown(shown, row),
        )


Row = TypeVar("Row", Recommendation, JudgedPair)
Shown = frozenset[tuple[UUID, UUID, str]]


def _fresh(session: Session, rows: Sequence[Row], shown: Shown) -> Iterable[Row]:
    """Yield those of these pairs that are public and that no digest of the account showed as they stand now."""
    ids = sorted({one for row in rows for one in (row.supply_id, row.demand_id)})
    hashes = matching.find_published_hashes(session, ids)
    for row in rows:
        supply, demand = hashes.get(row.supply_id), hashes.get(row.demand_id)
        if supply is None or demand is None:
            continue
        if (row.supply_id, row.demand_id, desk.fingerprint_of(supply, demand)) not in shown:
            yield row


def _judged(
    session: Session, rows: Sequence[Row], *, platform: Platform, floor: MatchLevel
) -> Iterator[tuple[Row, Pair]]:
    """Yield these pairs as they are judged now, those of them that are good enough and still public."""
    # As many at once as fit into a digest: nearly always that is all it takes.
    for start in range(0, len(rows), MOST_ITEMS):
        page = rows[start : start + MOST_ITEMS]
        bundles = listings.load_bundles(
            session, sorted({one for row in page for one in (row.supply_id, row.demand_id)})
        )
        for row in page:
            demand, supply = bundles[row.demand_id], bundles[row.supply_id]
            if not (demand.is_visible and supply.is_visible):
                continue
            pair = judged_pairs.judge(demand, supply, platform=platform)
            if pair.level.order >= floor.order and pair.level is not MatchLevel.NONE:
                yield row, pair


def _was_shown(shown: Shown, row: Recommendation | JudgedPair) -> bool:
    """Tell whether a pair was shown before, in other words than now."""
    return any((supply, demand) == (row.supply_id, row.demand_id) for supply, demand, _ in shown)
