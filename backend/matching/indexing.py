"""From the database to the index: embeddings made, changes announced."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.matching import repository
from backend.matching.documents import embedding_text
from models.encoder import Encoder

BATCH = 64


def follow_listing(session: Session, listing_id: UUID, *, encoder: Encoder, now: datetime) -> None:
    """Bring the vector of one listing up to its present content and announce the change.

    Running twice changes nothing but the number of the change.
    """
    bundle = listings.find_bundle(session, listing_id)
    if bundle is not None and bundle.is_visible:
        embed(session, [bundle], encoder=encoder, now=now)
    repository.append_change(session, listing_id, now=now)


def embed(session: Session, bundles: Sequence[ListingBundle], *, encoder: Encoder, now: datetime) -> int:
    """Embed those of these listings whose present content has no vector yet; return how many."""
    stale = [bundle for bundle in bundles if not _is_embedded(session, bundle, encoder.name)]
    for start in range(0, len(stale), BATCH):
        batch = stale[start : start + BATCH]
        vectors = encoder.encode_documents([embedding_text(bundle) for bundle in batch])
        for bundle, vector in zip(batch, vectors, strict=True):
            repository.save_vector(session, bundle.listing, vector, encoder=encoder.name, now=now)
    session.flush()
    return len(stale)


def embed_missing(session: Session, *, encoder: Encoder, now: datetime, limit: int) -> int:
    """Embed and announce published listings that this encoder has not seen as they stand; return how many."""
    ids = repository.find_unembedded(session, encoder=encoder.name, limit=limit)
    embed(session, list(listings.load_bundles(session, ids).values()), encoder=encoder, now=now)
    for listing_id in ids:
        repository.append_change(session, listing_id, now=now)
    return len(ids)


def _is_embedded(session: Session, bundle: ListingBundle, encoder: str) -> bool:
    kept = repository.find_vector(session, bundle.id, encoder)
    return kept is not None and kept.content_hash == bundle.listing.content_hash
