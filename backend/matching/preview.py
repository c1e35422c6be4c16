"""What an unfinished listing would find: likely duplicates, its first matches, the fields it seems to belong to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.errors import Invalid
from backend.listings.cards import make_card
from backend.listings.forms import ListingForm, check_listing
from backend.listings.pages import CheckPanel, SuggestedField
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import service
from backend.matching.bridges import Bridge, bridge_of, pair_of
from backend.matching.explanation import pair_text
from backend.matching.pipeline import whole_text
from backend.matching.posted import unposted_bundle
from backend.platform import Platform
from backend.policy.catalogue import Catalogue
from backend.policy.service import suggest_fields
from models.text import normalise

SHOWN_MATCHES = 3
# Fewer characters than this name a subject at best; comparing them finds chance likenesses.
LEAST_TEXT = 12
MONEY = frozenset({"price_kind", "price_low", "price_high"})


def preview(
    session: Session,
    form: ListingForm,
    *,
    kind: Kind,
    platform: Platform,
    reader: Account,
    now: datetime,
    exclude: UUID | None = None,
) -> CheckPanel:
    """Return what a listing as typed so far would find; `exclude` is the listing that the form changes."""
    bundle = unposted_bundle(form, kind=kind, now=now)
    text = pair_text(bundle)
    whole = whole_text(text)
    if len("".join(whole.split())) < LEAST_TEXT:
        return CheckPanel(is_too_short=True)
    duplicates = service.find_duplicates(session, text, kind=kind, platform=platform, exclude=exclude)
    found = service.match_listing(session, bundle, platform=platform, limit=SHOWN_MATCHES)
    suggested = suggest_fields(normalise(whole), platform.catalogue)
    return CheckPanel(
        duplicates=tuple(make_card(entry, platform.catalogue, reader=reader) for entry in duplicates),
        matches=tuple(_bridge(bundle, match, platform.catalogue, reader) for match in found.matches),
        fields=tuple(SuggestedField(entry.field, entry.terms) for entry in suggested),
    )


def read_leniently(values: Mapping[str, Any], *, catalogue: Catalogue, region: str) -> ListingForm | None:
    """Return what is usable of a half-filled form, leaving out what is wrong; None without a usable title."""
    kept = {**values, "region_code": values.get("region_code") or region}
    while True:
        try:
            return check_listing(kept, catalogue=catalogue, is_draft=True)
        except Invalid as error:
            wrong = {entry.field for entry in error.errors}
            wrong |= MONEY if wrong & MONEY else frozenset()
            if "title" in wrong or not wrong & kept.keys():
                return None
            kept = {name: value for name, value in kept.items() if name not in wrong}
            kept.setdefault("region_code", region)


def _bridge(bundle: ListingBundle, match: service.Match, catalogue: Catalogue, reader: Account) -> Bridge:
    """Return one match of a listing that has no page yet, hence no address of the pair."""
    pair = pair_of(bundle, match)
    return replace(bridge_of(pair, catalogue=catalogue, reader=reader, here=bundle.listing.kind), href="")
