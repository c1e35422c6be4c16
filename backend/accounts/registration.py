"""Becoming a member: registering, confirming the address, and getting back in when the password is forgotten.

Whoever asks gets the same answer for an address with an account and for one without: the difference is in the mail.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from backend.accounts import mailed_links, organisations, repository, service, trail
from backend.accounts.addresses import address_key, masked_address
from backend.accounts.mailed_links import Stationery
from backend.accounts.organisations import NewOrganisation
from backend.accounts.tables import Account, Organisation, OrganisationKind, Role, TokenPurpose
from backend.errors import FieldError, Invalid
from backend.policy.catalogue import Catalogue

# The date of the privacy text that is agreed to; raise it with the text.
CONSENT_VERSION = "2026-11-22"


@dataclass(frozen=True)
class Application:
    """What somebody filled in to become a member; the password is already a hash."""

    address: str
    password_hash: str
    display_name: str
    organisation: str
    organisation_kind: OrganisationKind | None
    organisation_region: str


def check_organisation(
    session: Session, name: str, kind: OrganisationKind | None, region: str, *, catalogue: Catalogue
) -> None:
    """Make sure that an organisation is on the list, or that enough is known to put it there.

    Raises: Invalid, naming what is missing.
    """
    if organisations.find_organisation(session, name) is not None:
        return
    errors = []
    if kind is None:
        errors.append(FieldError("organisation_kind", f"名单里还没有“{name}”。请选择它的类型，我们会登记为新机构。"))
    if catalogue.find_region(region) is None:
        errors.append(FieldError("organisation_region", f"名单里还没有“{name}”。请选择它所在的地区。"))
    if errors:
        raise Invalid(errors)


def register(
    session: Session, application: Application, *, stationery: Stationery, may_mail: bool, now: datetime, source: str
) -> None:
    """Make an unconfirmed account and mail it a link; for an address with an account, mail that it has one instead."""
    account = Account(
        email=application.address,
        email_key=address_key(application.address),
        password_hash=application.password_hash,
        display_name=application.display_name,
        role=Role.MEMBER,
        created_at=now,
        consented_at=now,
        consent_version=CONSENT_VERSION,
    )
    if not repository.add_if_new(session, account):
        _answer_known_address(
            session, application.address, stationery=stationery, may_mail=may_mail, now=now, source=source
        )
        return
    account.organisation_id = _organisation_of(session, application, by=account, now=now, source=source).id
    letter = mailed_links.write_confirmation(account.email, stationery=stationery)
    if may_mail:
        mailed_links.send(session, letter, account, now=now)
    _record(session, account, "accounts.register", account, source=source, now=now)


def _organisation_of(
    session: Session, application: Application, *, by: Account, now: datetime, source: str
) -> Organisation:
    known = organisations.find_organisation(session, application.organisation)
    if known is not None:
        return known
    if application.organisation_kind is None:
        raise ValueError(f"check_organisation was not asked about {application.organisation!r}")
    return organisations.find_or_create_organisation(
        session,
        NewOrganisation(application.organisation, application.organisation_kind, application.organisation_region),
        by=by,
        now=now,
        source=source,
    )


def _answer_known_address(
    session: Session, address: str, *, stationery: Stationery, may_mail: bool, now: datetime, source: str
) -> None:
    """Tell the owner of an address that it has an account already, with a way in; nothing is changed.

    Also where that account was never confirmed: its password may have been set by somebody who does not own the
    address, so only a new password, set by way of the mail, makes it the owner's.
    """
    account = repository.find_account(session, address_key(address))
    letter = mailed_links.write_reset(
        address, account.display_name if account else "", is_registration=True, stationery=stationery
    )
    if account is not None and account.suspended_at is None and may_mail:
        mailed_links.send(session, letter, account, now=now)
    _record(session, trail.NOBODY, "accounts.register", account, source=source, now=now, why="邮箱已有账号")


def send_confirmation_again(
    session: Session, address: str, *, stationery: Stationery, may_mail: bool, now: datetime, source: str
) -> None:
    """Mail the link again to an address that is waiting for it; do nothing for any other."""
    account = repository.find_account(session, address_key(address))
    letter = mailed_links.write_confirmation(address, stationery=stationery)
    is_waiting = account is not None and account.confirmed_at is None and account.suspended_at is None
    if account is not None and is_waiting and may_mail:
        mailed_links.send(session, letter, account, now=now)
    _record(session, trail.NOBODY, "accounts.ask_confirmation", account, source=source, now=now, address=address)


def confirm_address(session: Session, token: str, *, now: datetime, source: str) -> Account:
    """Confirm the address that a link was mailed to. Raises Conflict when the link is spent."""
    account = mailed_links.use(session, token, TokenPurpose.CONFIRM_ADDRESS, now=now)
    account.confirmed_at = account.confirmed_at or now
    _record(session, account, "accounts.confirm", account, source=source, now=now)
    return account


def request_reset(
    session: Session, address: str, *, stationery: Stationery, may_mail: bool, now: datetime, source: str
) -> None:
    """Mail a link for a new password if the address has an account that may use it."""
    account = repository.find_account(session, address_key(address))
    # Written in either case, so that the time it takes tells nothing.
    letter = mailed_links.write_reset(
        address, account.display_name if account else "", is_registration=False, stationery=stationery
    )
    if account is not None and account.suspended_at is None and may_mail:
        mailed_links.send(session, letter, account, now=now)
    _record(session, trail.NOBODY, "accounts.request_reset", account, source=source, now=now, address=address)


def reset_password(session: Session, token: str, *, password_hash: str, now: datetime, source: str) -> Account:
    """Set a new password by a mailed link, end every session, and take the address as confirmed: its mail was read."""
    account = mailed_links.use(session, token, TokenPurpose.RESET_PASSWORD, now=now)
    account.password_hash = password_hash
    account.confirmed_at = account.confirmed_at or now
    ended = service.end_sessions(session, account.id)
    _record(session, account, "accounts.reset_password", account, source=source, now=now, sessions=ended)
    return account


def find_link_owner(session: Session, token: str) -> Account | None:
    """Return whose a link for a new password is, so that the new one can be held against the address."""
    return mailed_links.find_owner(session, token, TokenPurpose.RESET_PASSWORD)


def _record(
    session: Session,
    actor: trail.Actor,
    action: str,
    account: Account | None,
    *,
    source: str,
    now: datetime,
    address: str = "",
    **detail: object,
) -> None:
    """Write to the trail; what concerns an address without account, or without its owner's doing, was refused."""
    is_known = isinstance(actor, Account)
    trail.record(
        session,
        actor,
        action=action,
        subject=f"account:{account.id}" if account else "",
        result="ok" if is_known or (account and "why" not in detail) else "refused",
        source=source,
        detail={**detail, **({"address": masked_address(address)} if address else {})},
        now=now,
    )
