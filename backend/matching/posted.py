"""A listing that is not posted yet, for previews: the same shape as a posted one, in no database."""

from datetime import datetime
from uuid import UUID

from backend.accounts.tables import Organisation, OrganisationKind
from backend.listings.forms import ListingForm
from backend.listings.repository import ListingBundle
from backend.listings.tables import DemandDetail, Kind, Listing, State, SupplyDetail

NOBODY = UUID(int=0)


def unposted_bundle(form: ListingForm, *, kind: Kind, now: datetime) -> ListingBundle:
    """Return what the matching core reads of a form, as if it were posted now."""
    listing = Listing(
        id=NOBODY,
        kind=kind,
        state=State.DRAFT,
        owner_id=NOBODY,
        organisation_id=NOBODY,
        title=form.title,
        summary=form.summary,
        description=form.description,
        region_code=form.region_code,
        park_code=form.park_code,
        industry_code=form.industry_code,
        keywords=list(form.keywords),
        price_kind=form.price_kind,
        price_low=form.low_yuan,
        price_high=form.high_yuan,
        indicators=[indicator.model_dump(mode="json") for indicator in form.indicators],
        deadline_on=form.deadline_on,
        content_hash=form.content_hash(),
        created_at=now,
        updated_at=now,
    )
    organisation = Organisation(name="", kind=OrganisationKind.COMPANY, region_code=form.region_code, created_at=now)
    supply = SupplyDetail(listing_id=NOBODY, maturity=form.maturity, trl=form.trl)
    demand = DemandDetail(
        listing_id=NOBODY,
        needs_maturity=form.needs_maturity,
        wants_regions=list(form.wants_regions),
        baseline=form.baseline,
        hopes_for_voucher=form.hopes_for_voucher,
    )
    return ListingBundle(
        listing=listing,
        organisation=organisation,
        fields=tuple(form.fields),
        modes=tuple(form.modes),
        supply=supply if kind is Kind.SUPPLY else None,
        demand=demand if kind is Kind.DEMAND else None,
    )
