"""The pages on which a listing is written: what each template may see, and how the form is filled again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account, Organisation
from backend.errors import FieldError, Forbidden, NotFound
from backend.listings import repository, service
from backend.listings.cards import Card
from backend.listings.figures import write_figure
from backend.listings.forms import LISTS, MOST_INDICATORS, TICKS, ListingForm, read_day
from backend.listings.hints import Hint, author_hints
from backend.listings.options import ChoiceGroup, industry_groups, park_groups, region_groups
from backend.listings.tables import IpKind, IpStatus, Kind, Listing, Maturity, Mode, PriceKind, State, Visibility
from backend.policy.catalogue import SEALS, Catalogue
from backend.web.pages import LOCAL_ZONE, Page

Errors = Sequence[tuple[str, str]]
LEAST_ROWS = 5
READ_BY_ALL = ("title", "summary", "description", "baseline")


@dataclass(frozen=True)
class SuggestedField:
    """A priority field that the text seems to belong to, and the words that speak for it."""

    code: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class CheckPanel:
    """What looking over an unfinished listing found.

    Each match has the attributes that the bridge component shows; `is_too_short` says that there was too little text
    to compare anything.
    """

    duplicates: Sequence[Card] = ()
    matches: Sequence[object] = ()
    fields: Sequence[SuggestedField] = ()
    is_too_short: bool = False


@dataclass(frozen=True)
class EditedListing:
    """The listing that a form changes; `reason` is why it was returned or taken down."""

    id: UUID
    state: State
    version: int
    reason: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether others read it now."""
        return self.state is State.PUBLISHED

    @property
    def is_handed_in(self) -> bool:
        """Tell whether saving is all there is to do: it is published or waits for review."""
        return self.state in {State.PUBLISHED, State.PENDING}


@dataclass(frozen=True)
class Author:
    """Whose listing it will be: the organisation, whether it is verified, and where it is."""

    organisation: str
    is_verified: bool
    region_code: str


@dataclass(frozen=True)
class IndicatorRow:
    """One row of the table of indicators as it was typed."""

    name: str = ""
    value: str = ""
    unit: str = ""
    condition: str = ""


@dataclass(frozen=True)
class FormOptions:
    """What the form offers to choose from: codes of fixed words, and places, industries and parks with their names."""

    regions: Sequence[ChoiceGroup]
    industries: Sequence[ChoiceGroup]
    parks: Sequence[ChoiceGroup]
    fields: Sequence[str]
    provinces: Sequence[str]
    modes: Sequence[str] = tuple(Mode)
    maturities: Sequence[str] = tuple(Maturity)
    ip_kinds: Sequence[str] = tuple(IpKind)
    ip_statuses: Sequence[str] = tuple(IpStatus)
    price_kinds: Sequence[str] = tuple(PriceKind)
    visibilities: Sequence[str] = tuple(Visibility)


@dataclass(frozen=True)
class ChoosePage(Page):
    """Which of the two is to be posted."""

    template: ClassVar[str] = "listings/choose.html"

    has_organisation: bool


@dataclass(frozen=True)
class FormPage(Page):
    """Writing or changing a listing; the fragment is the panel beside it."""

    template: ClassVar[str] = "listings/form.html"
    fragment: ClassVar[str] = "listings/_check.html"

    kind: Kind
    author: Author
    options: FormOptions
    values: Mapping[str, Any]
    rows: Sequence[IndicatorRow]
    can_add_row: bool
    edited: EditedListing | None = None
    errors: Errors = ()
    error_of: Mapping[str, str] = field(default_factory=dict)
    check: CheckPanel | None = None
    hints: Sequence[Hint] = ()


def make_form_page(
    catalogue: Catalogue,
    author: Author,
    *,
    kind: Kind,
    values: Mapping[str, Any],
    now: datetime,
    edited: EditedListing | None = None,
    errors: Iterable[FieldError] = (),
    check: CheckPanel | None = None,
    rows: int = LEAST_ROWS,
) -> FormPage:
    """Return the form with everything that was typed; `values` as `collect_values` or a kept version gives them.

    With `check` the panel beside the form shows what was found. `rows` is the least number of rows for indicators.
    """
    found = [(error.field, error.message) for error in errors]
    shown = _shown_values(values, author)
    filled = [_row(indicator) for indicator in values.get("indicators") or []]
    least = min(max(rows, LEAST_ROWS), MOST_INDICATORS)
    return FormPage(
        kind=kind,
        author=author,
        options=make_options(catalogue),
        values=shown,
        rows=(*filled, *[IndicatorRow()] * (least - len(filled))),
        can_add_row=max(least, len(filled)) < MOST_INDICATORS,
        edited=edited,
        errors=found,
        error_of={name: message for name, message in reversed(found) if name},
        check=check,
        hints=_hints(shown, filled, today=now.astimezone(LOCAL_ZONE).date()) if check else (),
    )


def make_options(catalogue: Catalogue) -> FormOptions:
    """Return what the form offers to choose from."""
    return FormOptions(
        regions=region_groups(catalogue),
        industries=industry_groups(catalogue),
        parks=park_groups(catalogue),
        fields=tuple(catalogue.fields),
        provinces=tuple(SEALS),
    )


def author_of(session: Session, account: Account) -> Author:
    """Return for whom an account writes."""
    organisation = session.get(Organisation, account.organisation_id) if account.organisation_id else None
    if organisation is None:
        raise Forbidden("您的账号还没有所属单位，不能发布。", remedy="请联系管理员登记您的单位。")
    return Author(organisation.name, organisation.verified_at is not None, organisation.region_code)


def edited_of(session: Session, listing: Listing) -> EditedListing:
    """Return what the form says of the listing that it changes."""
    event = repository.find_last_events(session, [listing.id]).get(listing.id)
    return EditedListing(listing.id, listing.state, listing.version, event.reason if event else "")


def find_edited(session: Session, listing_id: str, *, by: Account) -> EditedListing | None:
    """Return the own listing that a form says it changes; anything else means a new one."""
    try:
        return edited_of(session, service.get_own_bundle(session, UUID(listing_id), by=by).listing)
    except (ValueError, NotFound):
        return None


def _shown_values(values: Mapping[str, Any], author: Author) -> dict[str, Any]:
    """Return a value for every field of the form, as it is shown."""
    shown: dict[str, Any] = {}
    for name, declared in ListingForm.model_fields.items():
        value = values.get(name)
        if name in LISTS:
            shown[name] = list(value or [])
        elif name in TICKS:
            shown[name] = bool(value)
        elif name == "keywords":
            shown[name] = "、".join(value or [])
        elif name in {"price_kind", "visibility"}:
            shown[name] = value or declared.default.value
        elif name != "indicators":
            shown[name] = "" if value is None else str(value)
    shown["region_code"] = shown["region_code"] or author.region_code
    return shown


def _row(indicator: Mapping[str, Any]) -> IndicatorRow:
    name, unit, condition = (str(indicator.get(part) or "") for part in ("name", "unit", "condition"))
    return IndicatorRow(name, write_figure(indicator), unit, condition)


def _hints(shown: Mapping[str, Any], rows: Sequence[IndicatorRow], *, today: date) -> tuple[Hint, ...]:
    said = [shown[name] for name in READ_BY_ALL] + [f"{row.name} {row.condition}" for row in rows]
    deadline = read_day(shown["deadline_on"])
    return author_hints("\n".join(said), has_indicators=bool(rows), deadline=deadline, today=today)
