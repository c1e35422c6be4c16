"""Plain functions that make what a test needs, with honest defaults; say only what matters."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlmodel import Session

from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.listings import service as listings
from backend.listings.forms import ListingForm
from backend.listings.tables import Kind, Listing, State
from backend.matching import indexing

MONDAY = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 08:30 in Beijing, ISO week 2026-W48
PASSWORD = "correct horse battery"
_numbers = count(1)


def make_organisation(session: Session, **changes: Any) -> Organisation:
    """Keep an organisation."""
    number = next(_numbers)
    values = {
        "name": f"测试单位{number}",
        "kind": OrganisationKind.COMPANY,
        "region_code": "110108",
        "created_at": MONDAY - timedelta(days=90),
    }
    organisation = Organisation(**{**values, **changes})
    session.add(organisation)
    session.flush()
    return organisation


def make_account(session: Session, *, role: Role = Role.MEMBER, **changes: Any) -> Account:
    """Keep a confirmed account; a member belongs to an organisation of its own unless one is given."""
    number = next(_numbers)
    email = f"person{number}@example.com"
    values: dict[str, Any] = {
        "email": email,
        "email_key": changes.get("email", email).casefold(),
        "password_hash": "not a hash: sign in with client.sign_in",
        "display_name": f"测试人{number}",
        "role": role,
        "created_at": MONDAY - timedelta(days=60),
        "confirmed_at": MONDAY - timedelta(days=60),
    }
    if role is Role.MEMBER and "organisation_id" not in changes:
        values["organisation_id"] = make_organisation(session).id
    account = Account(**{**values, **changes})
    session.add(account)
    session.flush()
    return account


def listing_form(**changes: Any) -> ListingForm:
    """Return a form that may be published."""
    values: dict[str, Any] = {
        "title": "钢渣微粉制备高强混凝土掺合料",
        "summary": "把转炉钢渣磨成微粉，替代三成水泥，用于高强混凝土。",
        "description": "钢渣经磁选除铁后粉磨至 450 m²/kg，28 天活性指数达到 98%。\n已建成年产 12 万吨示范线。",
        "region_code": "130200",
        "fields": [],
        "keywords": ["钢渣", "掺合料"],
        "modes": ["licence", "joint_development"],
        "price_kind": "range",
        "price_low": Decimal(80),
        "price_high": Decimal(200),
    }
    return ListingForm(**{**values, **changes})


def make_listing(
    session: Session,
    *,
    kind: Kind = Kind.SUPPLY,
    state: State = State.PUBLISHED,
    owner: Account | None = None,
    now: datetime = MONDAY,
    encoder: Any = None,
    **changes: Any,
) -> Listing:
    """Keep a listing in a state it can really reach; with an encoder a published one is embedded and announced."""
    owner = owner or make_account(session)
    form = listing_form(**changes)
    listing = listings.create_listing(session, form, kind=kind, owner=owner, now=now, submit=state is not State.DRAFT)
    if state in {State.DRAFT, State.PENDING}:
        return listing
    moderator = make_account(session, role=Role.MODERATOR)
    if state is State.RETURNED:
        return listings.return_listing(session, listing.id, by=moderator, now=now, reason="请补充指标。")
    listings.publish_listing(session, listing.id, by=moderator, now=now, days=180)
    if state is State.WITHDRAWN:
        listings.withdraw_listing(session, listing.id, by=owner, now=now)
    elif state in {State.MATCHED, State.CLOSED}:
        listings.close_listing(session, listing.id, by=owner, now=now, is_matched=state is State.MATCHED)
    elif state is State.EXPIRED:
        listings.expire_listings(session, now=now + timedelta(days=181))
    if encoder is not None:
        indexing.follow_listing(session, listing.id, encoder=encoder, now=now)
    return listing
