"""Listings of the same kind that say something near."""

from uuid import UUID

from sqlmodel import Session

from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.matching import repository
from backend.matching.explanation import pair_text
from backend.matching.pipeline import whole_text
from backend.matching.service import visible_bundles
from backend.platform import Platform
from models.documents import IndexFilter

# On the demonstration market a listing has 1.1 neighbours of its own field above this, and 0.3 of other fields.
SIMILAR_COSINE = 0.5
SHOWN = 4


def find_similar(session: Session, bundle: ListingBundle, *, platform: Platform) -> list[ListingBundle]:
    """Return the published listings of the same kind that are near in meaning, nearest first."""
    kept = repository.find_vector(session, bundle.id, platform.encoder.name)
    if kept is not None:
        vector = repository.decode_vector(kept.vector)
    else:
        vector = platform.encoder.encode_documents([whole_text(pair_text(bundle))])[0]
    where = IndexFilter(kind=bundle.listing.kind.value, exclude=frozenset({str(bundle.id)}))
    near = platform.index.current(session).neighbours(vector, where, SHOWN)
    return visible_bundles(session, [UUID(found) for found, cosine in near if cosine >= SIMILAR_COSINE])


def find_alternatives(session: Session, bundle: ListingBundle, *, platform: Platform) -> list[ListingBundle]:
    """Return what to look at instead of a listing that is gone: what is near, else the newest of its kind."""
    near = find_similar(session, bundle, platform=platform)
    return near or visible_bundles(session, listings.find_latest(session, kind=bundle.listing.kind, limit=SHOWN))
