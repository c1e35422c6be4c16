"""A listing as the learned models see it: one text to embed, and one document to index."""

from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from models.documents import IndexDocument, Vector
from models.text import normalise


def embedding_text(bundle: ListingBundle) -> str:
    """Return the text that is embedded: the title first and again with what describes it."""
    listing = bundle.listing
    baseline = bundle.demand.baseline if bundle.demand else ""
    body = f"{listing.description}\n{baseline}"
    return compose_text(listing.title, listing.summary, " ".join(listing.keywords), body)


def compose_text(title: str, summary: str, keywords: str, body: str) -> str:
    """Join the parts of a listing for the encoder; empty parts are left out."""
    return "\n".join(part for part in (title, keywords, summary, body) if part.strip())


def make_document(bundle: ListingBundle, vector: Vector) -> IndexDocument:
    """Return the document that stands for a listing in every index; `vector` is (d,) float32 of unit length."""
    listing = bundle.listing
    maturity = bundle.supply.maturity if bundle.supply else bundle.demand.needs_maturity if bundle.demand else None
    body = "\n".join((listing.summary, listing.description, bundle.demand.baseline if bundle.demand else ""))
    return IndexDocument(
        id=str(listing.id),
        kind="supply" if listing.kind is Kind.SUPPLY else "demand",
        title=normalise(listing.title),
        keywords=normalise(" ".join(listing.keywords)),
        body=normalise(body),
        vector=vector,
        region=listing.region_code,
        content_hash=listing.content_hash,
        published_at=int(listing.published_at.timestamp()) if listing.published_at else 0,
        park=listing.park_code,
        fields=frozenset(bundle.fields),
        maturity=maturity.step if maturity else 0,
        modes=frozenset(mode.value for mode in bundle.modes),
        price_low=listing.price_low,
        price_high=listing.price_high,
    )
