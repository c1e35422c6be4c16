"""Every query of matching: vectors, the sequence of changes, feedback."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.listings.tables import Listing, State
from backend.matching.tables import IndexChange, ListingVector, MatchFeedback

# One number for all writers of changes: whoever holds it appends alone, so that `seq` grows in the order of commits.
# Without it a reader could see change 8, note it, and never see change 7 that commits a moment later.
CHANGE_LOCK = 7002


def append_change(session: Session, listing_id: UUID, *, now: datetime) -> None:
    """Note that every index has to look at a listing again."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (CHANGE_LOCK,))
    session.add(IndexChange(listing_id=listing_id, at=now))
    session.flush()


def last_change(session: Session) -> int:
    """Return the number of the latest change, 0 before the first."""
    return session.exec(select(sa.func.max(IndexChange.seq))).one() or 0


def find_changes(session: Session, *, after: int, limit: int) -> Sequence[IndexChange]:
    """Return the changes after one number, in order."""
    query = select(IndexChange).where(col(IndexChange.seq) > after).order_by(col(IndexChange.seq))
    return session.exec(query.limit(limit)).all()


def find_vector(session: Session, listing_id: UUID, encoder: str) -> ListingVector | None:
    """Return the embedding of a listing by one encoder, if it was made."""
    return session.get(ListingVector, (listing_id, encoder))


def load_vectors(session: Session, ids: Sequence[UUID], *, encoder: str) -> dict[UUID, NDArray[np.float32]]:
    """Return the embeddings (d,) float32 of these listings by one encoder; absent ones are left out."""
    query = select(ListingVector).where(col(ListingVector.listing_id).in_(ids), ListingVector.encoder == encoder)
    return {row.listing_id: decode_vector(row.vector) for row in session.exec(query)}


def save_vector(
    session: Session,
    listing: Listing,
    vector: NDArray[np.float32],
    *,
    encoder: str,
    now: datetime,
) -> None:
    """Keep the embedding of a listing's present content, replacing an older one of the same encoder."""
    session.merge(
        ListingVector(
            listing_id=listing.id,
            encoder=encoder,
            content_hash=listing.content_hash,
            dimension=vector.shape[0],
            vector=encode_vector(vector),
            made_at=now,
        )
    )


def encode_vector(vector: NDArray[np.float32]) -> bytes:
    """Return a vector (d,) as little-endian float32 bytes."""
    return vector.astype("<f4").tobytes()


def decode_vector(kept: bytes) -> NDArray[np.float32]:
    """Return the vector (d,) float32 of little-endian bytes."""
    return np.frombuffer(kept, dtype="<f4").astype(np.float32, copy=False)


def find_unembedded(session: Session, *, encoder: str, limit: int) -> Sequence[UUID]:
    """Return published listings whose present content this encoder has not embedded, oldest first."""
    embedded = (
        select(ListingVector.listing_id)
        .where(
            ListingVector.listing_id == Listing.id,
            ListingVector.encoder == encoder,
            ListingVector.content_hash == Listing.content_hash,
        )
        .exists()
    )
    query = select(Listing.id).where(Listing.state == State.PUBLISHED, ~embedded)
    return session.exec(query.order_by(col(Listing.published_at), col(Listing.id)).limit(limit)).all()


def find_published_hashes(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the content hashes of those of these listings that are published now."""
    query = select(Listing.id, Listing.content_hash).where(col(Listing.id).in_(ids), Listing.state == State.PUBLISHED)
    return dict(session.exec(query).all())


def find_feedback(
    session: Session, account_id: UUID, pairs: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], MatchFeedback]:
    """Return what an account said of these (supply, demand) pairs."""
    supplies = [supply for supply, _ in pairs]
    query = select(MatchFeedback).where(
        MatchFeedback.account_id == account_id, col(MatchFeedback.supply_id).in_(supplies)
    )
    wanted = set(pairs)
    found = {(entry.supply_id, entry.demand_id): entry for entry in session.exec(query)}
    return {pair: entry for pair, entry in found.items() if pair in wanted}


def load_all_feedback(session: Session) -> Sequence[MatchFeedback]:
    """Return everything that people said of matches, in the order of time: a measurement needs all of it."""
    return session.exec(select(MatchFeedback).order_by(col(MatchFeedback.at), col(MatchFeedback.id))).all()
