"""Every query of listings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.accounts.tables import Organisation
from backend.listings.tables import (
    DemandDetail,
    Kind,
    Listing,
    ListingEvent,
    ListingField,
    ListingMode,
    ListingVersion,
    Mode,
    State,
    SupplyDetail,
)


@dataclass(frozen=True)
class ListingBundle:
    """A listing with all that belongs to it; exactly one of `supply` and `demand` is there."""

    listing: Listing
    organisation: Organisation
    fields: tuple[str, ...]
    modes: tuple[Mode, ...]
    supply: SupplyDetail | None
    demand: DemandDetail | None

    @property
    def id(self) -> UUID:
        """Return the listing's id."""
        return self.listing.id

    @property
    def is_visible(self) -> bool:
        """Tell whether the public may see this listing now."""
        return self.listing.state is State.PUBLISHED


def load_bundles(session: Session, ids: Sequence[UUID]) -> dict[UUID, ListingBundle]:
    """Return the bundles of these listings by id, in six queries whatever their number; absent ids are left out."""
    if not ids:
        return {}
    wanted = col(Listing.id).in_(ids)
    rows = session.exec(select(Listing, Organisation).join(Organisation).where(wanted)).all()
    fields: dict[UUID, list[str]] = {}
    chosen = select(ListingField).where(col(ListingField.listing_id).in_(ids)).order_by(col(ListingField.position))
    for field in session.exec(chosen):
        fields.setdefault(field.listing_id, []).append(field.field_code)
    modes: dict[UUID, list[Mode]] = {}
    for mode in session.exec(select(ListingMode).where(col(ListingMode.listing_id).in_(ids))):
        modes.setdefault(mode.listing_id, []).append(mode.mode)
    supplies = session.exec(select(SupplyDetail).where(col(SupplyDetail.listing_id).in_(ids))).all()
    demands = session.exec(select(DemandDetail).where(col(DemandDetail.listing_id).in_(ids))).all()
    supply_of = {detail.listing_id: detail for detail in supplies}
    demand_of = {detail.listing_id: detail for detail in demands}
    order = list(Mode)
    return {
        listing.id: ListingBundle(
            listing=listing,
            organisation=organisation,
            fields=tuple(fields.get(listing.id, ())),
            modes=tuple(sorted(modes.get(listing.id, ()), key=order.index)),
            supply=supply_of.get(listing.id),
            demand=demand_of.get(listing.id),
        )
        for listing, organisation in rows
    }


def find_bundle(session: Session, listing_id: UUID) -> ListingBundle | None:
    """Return one listing with all that belongs to it, if it exists."""
    return load_bundles(session, [listing_id]).get(listing_id)


def find_by_source(session: Session, source_key: str) -> Listing | None:
    """Return the listing that was imported under this key, if any."""
    return session.exec(select(Listing).where(Listing.source_key == source_key)).first()


def find_twin(session: Session, owner_id: UUID, *, kind: Kind, state: State, content_hash: str) -> Listing | None:
    """Return a listing of the same account that says the same to the letter, oldest first, if any is in this state."""
    same = Listing.owner_id == owner_id, Listing.kind == kind, Listing.content_hash == content_hash
    oldest = col(Listing.created_at), col(Listing.id)
    return session.exec(select(Listing).where(*same, Listing.state == state).order_by(*oldest).limit(1)).first()


def find_owned(
    session: Session, owner_id: UUID, *, states: Sequence[State], limit: int, offset: int = 0
) -> Sequence[Listing]:
    """Return an account's listings in these states, latest change first."""
    latest = col(Listing.updated_at).desc(), col(Listing.id)
    query = select(Listing).where(Listing.owner_id == owner_id, col(Listing.state).in_(states)).order_by(*latest)
    return session.exec(query.offset(offset).limit(limit)).all()


def count_owned_by_state(session: Session, owner_id: UUID) -> Mapping[State, int]:
    """Return how many listings an account has in each state."""
    query = select(Listing.state, sa.func.count()).where(Listing.owner_id == owner_id).group_by(col(Listing.state))
    return {State(state): count for state, count in session.exec(query)}


def find_pending(session: Session, *, limit: int, offset: int = 0) -> Sequence[Listing]:
    """Return what waits for review, longest wait first."""
    first_come = col(Listing.submitted_at), col(Listing.id)
    query = select(Listing).where(Listing.state == State.PENDING).order_by(*first_come)
    return session.exec(query.offset(offset).limit(limit)).all()


def count_pending(session: Session) -> int:
    """Return how many listings wait for review."""
    return session.exec(select(sa.func.count()).where(col(Listing.state) == State.PENDING)).one()


def find_expired(session: Session, *, now: datetime, limit: int) -> Sequence[Listing]:
    """Return published listings whose time is over."""
    over = Listing.state == State.PUBLISHED, col(Listing.expires_at) <= now
    return session.exec(
        select(Listing).where(*over).order_by(col(Listing.expires_at), col(Listing.id)).limit(limit)
    ).all()


def find_published_ids(session: Session, *, kind: Kind | None = None) -> Sequence[UUID]:
    """Return the ids of all that is published, in order of id."""
    query = select(Listing.id).where(Listing.state == State.PUBLISHED).order_by(col(Listing.id))
    return session.exec(query if kind is None else query.where(Listing.kind == kind)).all()


def find_latest(session: Session, *, kind: Kind, limit: int) -> Sequence[UUID]:
    """Return the ids of the newest published listings of one kind."""
    newest = col(Listing.published_at).desc(), col(Listing.id)
    query = select(Listing.id).where(Listing.kind == kind, Listing.state == State.PUBLISHED).order_by(*newest)
    return session.exec(query.limit(limit)).all()


def count_published_by_province(session: Session) -> Mapping[tuple[str, Kind], int]:
    """Return how many published listings each province has of each kind."""
    province = sa.func.substr(Listing.region_code, 1, 2)
    query = (
        select(province, Listing.kind, sa.func.count())
        .where(Listing.state == State.PUBLISHED)
        .group_by(province, col(Listing.kind))
    )
    return {(f"{code}0000", Kind(kind)): count for code, kind, count in session.exec(query)}


def find_expiring(
    session: Session, *, after: datetime, until: datetime, limit: int, offset: int = 0
) -> Sequence[Listing]:
    """Return published listings whose time ends after one moment and not after another, soonest first."""
    soon = Listing.state == State.PUBLISHED, col(Listing.expires_at) > after, col(Listing.expires_at) <= until
    query = select(Listing).where(*soon).order_by(col(Listing.expires_at), col(Listing.id))
    return session.exec(query.offset(offset).limit(limit)).all()


def count_waiting_before(session: Session, moment: datetime) -> int:
    """Return how many listings have waited for review since before a moment."""
    earlier = col(Listing.state) == State.PENDING, col(Listing.submitted_at) < moment
    return session.exec(select(sa.func.count()).where(*earlier)).one()


def find_last_events(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, ListingEvent]:
    """Return the latest step of each of these listings."""
    if not ids:
        return {}
    latest = select(sa.func.max(ListingEvent.id)).where(col(ListingEvent.listing_id).in_(ids))
    latest = latest.group_by(col(ListingEvent.listing_id))
    events = session.exec(select(ListingEvent).where(col(ListingEvent.id).in_(latest))).all()
    return {event.listing_id: event for event in events}


def find_last_step_to(session: Session, listing_id: UUID, state: State) -> ListingEvent | None:
    """Return the latest step of a listing into a state, if it was ever taken."""
    query = select(ListingEvent).where(ListingEvent.listing_id == listing_id, ListingEvent.to_state == state)
    return session.exec(query.order_by(col(ListingEvent.id).desc()).limit(1)).first()


def find_last_public_version(session: Session, listing_id: UUID) -> ListingVersion | None:
    """Return what the public last read of a listing that is no longer published, if it ever was.

    The step out of `published` and the version that caused it bear the same time, so the version before it is meant.
    """
    steps = select(ListingEvent).where(
        ListingEvent.listing_id == listing_id, ListingEvent.from_state == State.PUBLISHED
    )
    step = session.exec(steps.order_by(col(ListingEvent.id).desc()).limit(1)).first()
    if step is None:
        return None
    before = ListingVersion.listing_id == listing_id, col(ListingVersion.changed_at) < step.at
    versions = select(ListingVersion).where(*before).order_by(col(ListingVersion.version).desc())
    return session.exec(versions.limit(1)).first()


def find_events(session: Session, listing_id: UUID, *, limit: int = 100) -> Sequence[ListingEvent]:
    """Return the history of a listing, latest first."""
    query = select(ListingEvent).where(ListingEvent.listing_id == listing_id).order_by(col(ListingEvent.id).desc())
    return session.exec(query.limit(limit)).all()


def find_versions(session: Session, listing_id: UUID, *, limit: int = 50) -> Sequence[ListingVersion]:
    """Return the kept versions of a listing, latest first."""
    newest = col(ListingVersion.version).desc()
    query = select(ListingVersion).where(ListingVersion.listing_id == listing_id).order_by(newest)
    return session.exec(query.limit(limit)).all()


def lock(session: Session, listing_id: UUID) -> Listing | None:
    """Return a listing for change: on PostgreSQL its row is locked, on SQLite the transaction already is the writer."""
    # What this session read before is read again: on PostgreSQL it may have changed while we waited for the row.
    query = select(Listing).where(Listing.id == listing_id).with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()


def replace_fields(session: Session, listing_id: UUID, codes: Sequence[str]) -> None:
    """Set the priority fields of a listing, in this order."""
    session.exec(sa.delete(ListingField).where(col(ListingField.listing_id) == listing_id))
    for position, code in enumerate(codes):
        session.add(ListingField(listing_id=listing_id, field_code=code, position=position))


def replace_modes(session: Session, listing_id: UUID, modes: Sequence[Mode]) -> None:
    """Set the cooperation modes of a listing."""
    session.exec(sa.delete(ListingMode).where(col(ListingMode.listing_id) == listing_id))
    for mode in modes:
        session.add(ListingMode(listing_id=listing_id, mode=mode))
