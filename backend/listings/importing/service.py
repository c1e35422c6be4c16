"""Bring a file of listings in: every row is taken, changed, left alone or refused, and the report says why."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.errors import FieldError, Invalid
from backend.listings import repository, service
from backend.listings.forms import ListingForm, check_listing
from backend.listings.importing.columns import Problem, Reading, map_columns, read_row, unused_columns
from backend.listings.importing.sources import Row
from backend.listings.tables import Kind
from backend.policy.catalogue import Catalogue

SHORTEST_DESCRIPTION = 10


@dataclass
class Report:
    """What became of the rows of one file."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Where the rows go: whose they are, what they are, and whether they are published at once."""

    kind: Kind
    region: str
    owner_of: Callable[[str], Account]
    publisher: Account | None
    days: int


def import_rows(
    session: Session,
    rows: Sequence[Row],
    *,
    target: Target,
    catalogue: Catalogue,
    now: datetime,
    columns: Mapping[str, str],
) -> Report:
    """Bring rows in. Importing the same file again changes nothing; a changed row changes its listing."""
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    mapped = map_columns(names, columns)
    report = Report(unused=unused_columns(names, mapped))
    for row in rows:
        reading = read_row(row, mapped, kind=target.kind, catalogue=catalogue, region=target.region, today=now.date())
        try:
            form = _checked(reading, catalogue)
        except Invalid as error:
            report.refused += 1
            report.problems += [_refusal(row, mapped, reading, item.field, item.message) for item in error.errors]
            continue
        report.problems += reading.problems
        _keep(session, form, _source_key(target.kind, reading), reading.organisation, target, report, now=now)
    return report


def _checked(reading: Reading, catalogue: Catalogue) -> ListingForm:
    values = reading.values
    if len(values["description"].strip()) < SHORTEST_DESCRIPTION:
        raise Invalid([FieldError("description", f"详细说明不足 {SHORTEST_DESCRIPTION} 个字，看不出内容，请补充。")])
    return check_listing(values, catalogue=catalogue, is_draft=True)


def _refusal(row: Row, mapped: Mapping[str, str], reading: Reading, name: str, message: str) -> Problem:
    column = mapped.get(name, name)
    value = str(reading.values.get(name, ""))[:60]
    return Problem(row.number, column, value, message, refused=True)


def _source_key(kind: Kind, reading: Reading) -> str:
    """Return what makes a row the same at the next import: its own number, else its title and organisation."""
    identity = reading.source_id or f"{reading.organisation}\n{reading.values['title']}"
    return f"import:{kind.value}:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _keep(
    session: Session,
    form: ListingForm,
    source_key: str,
    organisation: str,
    target: Target,
    report: Report,
    *,
    now: datetime,
) -> None:
    known = repository.find_by_source(session, source_key)
    if known is not None:
        if known.content_hash == form.content_hash():
            report.unchanged += 1
            return
        owner = session.get_one(Account, known.owner_id)
        service.update_listing(session, known.id, form, by=owner, now=now, submit=False)
        report.updated += 1
        return
    owner = target.owner_of(organisation)
    listing = service.create_listing(
        session, form, kind=target.kind, owner=owner, now=now, submit=True, source_key=source_key
    )
    if target.publisher is not None:
        service.publish_listing(session, listing.id, by=target.publisher, now=now, days=target.days)
    report.created += 1
