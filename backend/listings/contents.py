"""What a listing says: written into its tables, kept as versions, read back as values of the form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.listings import repository
from backend.listings.forms import ListingForm, PublishableForm
from backend.listings.tables import DemandDetail, Kind, Listing, ListingVersion, SupplyDetail
from backend.web.forms import validate


def write_content(session: Session, listing: Listing, form: ListingForm, *, by: Account, now: datetime) -> None:
    """Copy a form into the tables and keep it as the next version."""
    listing.title, listing.summary, listing.description = form.title, form.summary, form.description
    listing.region_code, listing.park_code, listing.industry_code = form.region_code, form.park_code, form.industry_code
    listing.keywords = list(form.keywords)
    listing.price_kind, listing.price_low, listing.price_high = form.price_kind, form.low_yuan, form.high_yuan
    listing.indicators = [indicator.model_dump(mode="json") for indicator in form.indicators]
    listing.contact_name, listing.contact_phone = form.contact_name, form.contact_phone
    listing.contact_email = form.contact_email
    listing.visibility, listing.is_anonymous = form.visibility, form.is_anonymous
    listing.deadline_on = form.deadline_on
    listing.content_hash, listing.updated_at = form.content_hash(), now
    listing.version += 1
    session.add(listing)
    session.merge(_supply_detail(listing, form) if listing.kind is Kind.SUPPLY else _demand_detail(listing, form))
    repository.replace_fields(session, listing.id, form.fields)
    repository.replace_modes(session, listing.id, form.modes)
    session.add(
        ListingVersion(
            listing_id=listing.id, version=listing.version, content=form.as_content(), changed_by=by.id, changed_at=now
        )
    )
    session.flush()


def read_content(session: Session, listing: Listing) -> Mapping[str, Any]:
    """Return what a listing says now, as the values its author last gave."""
    latest = repository.find_versions(session, listing.id, limit=1)
    return latest[0].content if latest else {"title": listing.title, "region_code": listing.region_code}


def check_complete(session: Session, listing: Listing) -> None:
    """Make sure that a listing has all that a review needs. Raises: Invalid, naming what is missing."""
    validate(PublishableForm, read_content(session, listing))


def _supply_detail(listing: Listing, form: ListingForm) -> SupplyDetail:
    return SupplyDetail(
        listing_id=listing.id,
        maturity=form.maturity,
        trl=form.trl,
        ip_kinds=[kind.value for kind in form.ip_kinds],
        ip_status=form.ip_status,
    )


def _demand_detail(listing: Listing, form: ListingForm) -> DemandDetail:
    return DemandDetail(
        listing_id=listing.id,
        needs_maturity=form.needs_maturity,
        wants_regions=list(form.wants_regions),
        baseline=form.baseline,
        hopes_for_voucher=form.hopes_for_voucher,
    )
