"""The pages of one's own listings: what each template may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from backend.listings.cards import Card
from backend.listings.differences import Change
from backend.listings.tables import Kind, Listing, ListingEvent, State
from backend.web.pages import LOCAL_ZONE, Page

Errors = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Deeds:
    """What the owner of a listing may do with it now."""

    edit: bool
    submit: bool
    withdraw: bool
    renew: bool
    close: bool


DEEDS: Mapping[State, Deeds] = {
    State.DRAFT: Deeds(edit=True, submit=True, withdraw=True, renew=False, close=False),
    State.PENDING: Deeds(edit=True, submit=False, withdraw=True, renew=False, close=False),
    State.RETURNED: Deeds(edit=True, submit=True, withdraw=True, renew=False, close=False),
    State.PUBLISHED: Deeds(edit=True, submit=False, withdraw=True, renew=True, close=True),
    State.MATCHED: Deeds(edit=False, submit=False, withdraw=False, renew=False, close=False),
    State.CLOSED: Deeds(edit=False, submit=False, withdraw=False, renew=False, close=False),
    State.EXPIRED: Deeds(edit=True, submit=False, withdraw=False, renew=True, close=False),
    State.WITHDRAWN: Deeds(edit=True, submit=False, withdraw=False, renew=True, close=False),
}


@dataclass(frozen=True)
class StateTab:
    """One tab of one's own listings; an empty state means all of them."""

    state: str
    count: int
    current: bool


@dataclass(frozen=True)
class OwnRow:
    """One of one's own listings in the list, with what can be done next and why."""

    id: UUID
    kind: Kind
    title: str
    summary: str
    state: State
    updated_at: datetime
    expires_on: date | None
    days_left: int | None
    reason: str
    deeds: Deeds


@dataclass(frozen=True)
class MinePage(Page):
    """One's own listings, by state."""

    template: ClassVar[str] = "listings/mine.html"

    tabs: Sequence[StateTab]
    state: str
    rows: Sequence[OwnRow]
    has_any: bool
    current: int
    last: int


@dataclass(frozen=True)
class Contact:
    """How to reach the author; for the author and for reviewers only."""

    name: str
    phone: str
    email: str


@dataclass(frozen=True)
class HistoryLine:
    """One step of a listing's history, told by role, never by name."""

    at: datetime
    from_state: str
    to_state: str
    reason: str
    who: Literal["owner", "reviewer", "clock"]


@dataclass(frozen=True)
class VersionView:
    """One kept version and what it changed against the one before."""

    number: int
    at: datetime
    changes: Sequence[Change]


@dataclass(frozen=True)
class OwnPage(Page):
    """One of one's own listings: where it stands, what comes next, what it says and said."""

    template: ClassVar[str] = "listings/own.html"

    card: Card
    contact: Contact
    deeds: Deeds
    submitted_at: datetime | None
    ended_on: date | None
    expires_on: date | None
    days_left: int | None
    ahead: int
    reason: str
    was_taken_down: bool
    history: Sequence[HistoryLine]
    versions: Sequence[VersionView]
    errors: Errors = ()


def contact_of(listing: Listing) -> Contact:
    """Return how to reach the author of a listing."""
    return Contact(listing.contact_name, listing.contact_phone, listing.contact_email)


def days_left(listing: Listing, *, now: datetime) -> int | None:
    """Return on how many more days a published listing is shown; 0 on its last."""
    if listing.state is not State.PUBLISHED or listing.expires_at is None:
        return None
    return max((local_day(listing.expires_at) - local_day(now)).days, 0)


def local_day(moment: datetime) -> date:
    """Return the day that a moment falls on here."""
    return moment.astimezone(LOCAL_ZONE).date()


def history_line(event: ListingEvent, *, owner_id: UUID) -> HistoryLine:
    """Return one step as its page tells it."""
    return HistoryLine(
        at=event.at.astimezone(LOCAL_ZONE),
        from_state=event.from_state or "",
        to_state=event.to_state,
        reason=event.reason,
        who="clock" if event.by_id is None else "owner" if event.by_id == owner_id else "reviewer",
    )


def own_row(listing: Listing, *, reason: str, now: datetime) -> OwnRow:
    """Return one of one's own listings as the list shows it."""
    is_live = listing.state is State.PUBLISHED
    return OwnRow(
        id=listing.id,
        kind=listing.kind,
        title=listing.title,
        summary=listing.summary,
        state=listing.state,
        updated_at=listing.updated_at.astimezone(LOCAL_ZONE),
        expires_on=local_day(listing.expires_at) if is_live and listing.expires_at else None,
        days_left=days_left(listing, now=now),
        reason=reason,
        deeds=DEEDS[listing.state],
    )
