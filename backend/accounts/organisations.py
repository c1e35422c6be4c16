"""Organisations: found by name, registered by their first member, verified by an administrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts import repository, trail
from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.accounts.trail import Actor
from backend.errors import Conflict, Forbidden, NotFound

# Company names are written with full-width brackets or plain ones, and mean the same company.
_TO_FULL_WIDTH = str.maketrans("()", "（）")
_TO_PLAIN = str.maketrans("（）", "()")


def find_organisation(session: Session, name: str) -> Organisation | None:
    """Return the organisation of a name, however its brackets are written."""
    return repository.find_organisation(session, spellings(name))


def spellings(name: str) -> Sequence[str]:
    """Return the ways in which a name may have been registered."""
    tidy = " ".join(name.split())
    return list(dict.fromkeys([tidy, tidy.translate(_TO_FULL_WIDTH), tidy.translate(_TO_PLAIN)]))


@dataclass(frozen=True)
class NewOrganisation:
    """What is needed to put an organisation on the list."""

    name: str
    kind: OrganisationKind
    region_code: str


def find_or_create_organisation(
    session: Session, new: NewOrganisation, *, by: Actor, now: datetime, source: str = ""
) -> Organisation:
    """Return the organisation of a name, registering it as not yet verified when it is new."""
    known = find_organisation(session, new.name)
    if known is not None:
        return known
    name = " ".join(new.name.split())
    organisation = Organisation(name=name, kind=new.kind, region_code=new.region_code, created_at=now)
    if not repository.add_if_new(session, organisation):
        known = find_organisation(session, name)
        if known is None:
            raise Conflict("这个机构正在由别人登记，没有保存。", remedy="请再提交一次。")
        return known
    trail.record(
        session,
        by,
        action="organisations.create",
        subject=f"organisation:{organisation.id}",
        source=source,
        detail={"name": organisation.name},
        now=now,
    )
    return organisation


def verify_organisation(
    session: Session, organisation_id: UUID, *, by: Actor, is_verified: bool, now: datetime, source: str = ""
) -> Organisation:
    """Mark an organisation as verified, or take the mark back; only administrators may."""
    if isinstance(by, Account) and by.role != Role.ADMINISTRATOR:
        raise Forbidden("只有管理员可以核实机构。")
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound("没有这个机构。")
    if (organisation.verified_at is not None) != is_verified:
        organisation.verified_at = now if is_verified else None
    trail.record(
        session,
        by,
        action="organisations.verify" if is_verified else "organisations.unverify",
        subject=f"organisation:{organisation.id}",
        source=source,
        detail={"name": organisation.name},
        now=now,
    )
    return organisation
