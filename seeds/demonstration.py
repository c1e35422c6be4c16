"""The demonstration market: read from `seeds/market`, brought in through the services, as people would."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session, select

from backend.accounts import administration, trail
from backend.accounts.administration import NewAccount
from backend.accounts.passwords import shared_passwords
from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.database import transaction
from backend.listings import repository as listings
from backend.listings import service
from backend.listings.forms import PublishableForm, check_listing
from backend.listings.tables import Kind
from backend.matching import saved_searches
from backend.matching.bulk import BulkQueue
from backend.matching.query import Facet, SearchQuery
from backend.platform import Platform

MARKET = Path(__file__).parent / "market"
PASSWORD_BYTES = 12
DEMONSTRATION = "demo:"
# The technology manager has a past: see `pipeline.py`.
MANAGER_SINCE_DAYS = 90
SEARCH_SAVED_DAYS = 21
SAVED_SEARCH = SearchQuery(kind=Kind.DEMAND, filters={Facet.FIELD: ("vehicles",)})
NO_PASSWORD = "!"  # noqa: S105 - no hash equals it, so nobody signs in with it
COPIED = (
    "title", "summary", "description", "fields", "keywords", "modes", "indicators",
    "maturity", "trl", "ip_kinds", "ip_status", "needs_maturity", "wants_regions",
)  # fmt: skip


@dataclass(frozen=True)
class DemonstrationAccount:
    """An account to sign in with; the password is known only here and now."""

    role: Role
    email: str
    name: str
    password: str


PEOPLE = (
    (Role.MEMBER, "member@example.com", "示范会员"),
    (Role.MANAGER, "manager@example.com", "示范技术经理人"),
    (Role.MODERATOR, "moderator@example.com", "示范审核员"),
    (Role.ADMINISTRATOR, "admin@example.com", "示范管理员"),
    (Role.AUDITOR, "auditor@example.com", "示范审计员"),
)


def read_market(folder: Path = MARKET) -> list[dict[str, Any]]:
    """Read the market files, one per field."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [yaml.load(path.read_text(), Loader=loader) for path in sorted(folder.glob("*.yaml"))]  # noqa: S506


def load_market(platform: Platform) -> list[DemonstrationAccount]:
    """Bring in organisations, accounts and listings in one transaction; what is there already is left alone.

    Return the accounts that were made, with their passwords.
    """
    now = platform.clock()
    queue = BulkQueue(platform.queue)
    with transaction(platform.database, queue=queue) as session:
        market = read_market()
        owners = {entry["key"]: _owner(session, entry, now=now) for part in market for entry in part["organisations"]}
        made = list(_people(session, owners, now=now))
        moderator = session.exec(select(Account).where(Account.email_key == "moderator@example.com")).one()
        for part in market:
            for kind, name in ((Kind.SUPPLY, "supplies"), (Kind.DEMAND, "demands")):
                for entry in part[name]:
                    _listing(session, entry, kind=kind, owner=owners[entry["org"]], by=moderator, platform=platform)
        queue.follow_noted(session, encoder=platform.encoder, now=now)
        if made:
            _saved_search(session, platform)
    return made


def _saved_search(session: Session, platform: Platform) -> None:
    """Let the manager have saved a search a while ago, so that its digest has something to tell of it."""
    manager = session.exec(select(Account).where(Account.email_key == "manager@example.com")).one()
    since = platform.clock() - timedelta(days=SEARCH_SAVED_DAYS)
    saved_searches.save_search(session, manager, SAVED_SEARCH, catalogue=platform.catalogue, now=since)


def _owner(session: Session, entry: Mapping[str, Any], *, now: datetime) -> Account:
    """Return the account that posts for an organisation, making both at the first load."""
    email = f"{entry['key']}@example.com"
    known = session.exec(select(Account).where(Account.email_key == email)).first()
    if known is not None:
        return known
    organisation = Organisation(
        name=entry["name"],
        kind=OrganisationKind(entry["kind"]),
        region_code=entry["region"],
        verified_at=now,
        created_at=now,
    )
    session.add(organisation)
    session.flush()
    return _account(session, email, "示范单位联系人", Role.MEMBER, organisation, password_hash=NO_PASSWORD, now=now)


def _people(session: Session, owners: Mapping[str, Account], *, now: datetime) -> Iterator[DemonstrationAccount]:
    """Make one account per role; the member belongs to the first organisation of the market."""
    first = next(iter(owners.values()))
    hasher = shared_passwords()
    for role, email, name in PEOPLE:
        if session.exec(select(Account).where(Account.email_key == email)).first() is None:
            organisation = session.get(Organisation, first.organisation_id) if role is Role.MEMBER else None
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            since = now - timedelta(days=MANAGER_SINCE_DAYS) if role is Role.MANAGER else now
            _account(session, email, name, role, organisation, password_hash=hasher.hash(password), now=since)
            yield DemonstrationAccount(role, email, name, password)


def _account(
    session: Session,
    email: str,
    name: str,
    role: Role,
    organisation: Organisation | None,
    *,
    password_hash: str,
    now: datetime,
) -> Account:
    new = NewAccount(email, password_hash, name, role, organisation.id if organisation else None)
    return administration.create_account(session, new, by=trail.SHELL, now=now)


def _listing(
    session: Session, entry: Mapping[str, Any], *, kind: Kind, owner: Account, by: Account, platform: Platform
) -> None:
    source_key = DEMONSTRATION + entry["key"]
    if listings.find_by_source(session, source_key) is not None:
        return
    posted = platform.clock() - timedelta(days=entry["posted_days_ago"])
    form = check_listing(_values(entry, posted), catalogue=platform.catalogue, is_draft=False)
    listing = service.create_listing(
        session, form, kind=kind, owner=owner, now=posted, submit=True, source_key=source_key
    )
    days = platform.settings.listing_days + entry["posted_days_ago"]
    service.publish_listing(session, listing.id, by=by, now=posted, days=days)


def _values(entry: Mapping[str, Any], posted: datetime) -> dict[str, Any]:
    """Return an entry of the market as the values of the posting form."""
    price = entry["price"]
    values = {name: entry[name] for name in COPIED if name in entry}
    values |= {
        "region_code": entry["region"],
        "park_code": entry.get("park"),
        "industry_code": entry["industry"],
        "price_kind": price["kind"],
        "price_low": price.get("min"),
        "price_high": price.get("max"),
        "hopes_for_voucher": bool(entry.get("voucher")),
        "contact_name": "示范联系人",
        "contact_email": f"{entry['org']}@example.com",
    }
    if "deadline_in_days" in entry:
        values["deadline_on"] = (posted + timedelta(days=entry["posted_days_ago"] + entry["deadline_in_days"])).date()
    return {name: value for name, value in values.items() if name in PublishableForm.model_fields}
