"""One line of a list: what a reader may see of a listing, in the words of the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from backend.accounts.tables import Account
from backend.listings.cards import Card, make_card
from backend.listings.repository import ListingBundle
from backend.matching.highlighting import mark
from backend.policy.catalogue import Catalogue
from backend.web.pages import LOCAL_ZONE

DAYS_IN_WORDS = 7


@dataclass(frozen=True)
class Row:
    """A listing in a list."""

    kind: str
    title: Markup
    href: str
    summary: Markup
    organisation: str
    verified: bool
    province: str
    place: str
    fields: tuple[str, ...]
    maturity: str
    price: str
    deadline: date | None
    freshness: str
    updated_at: datetime
    state: str
    level: str = ""


def make_row(card: Card, *, now: datetime, terms: Sequence[str] = (), level: str = "") -> Row:
    """Return the line of a listing, with the words that were searched for marked."""
    return Row(
        kind=card.kind.value,
        title=mark(card.title, terms),
        href=card.href,
        summary=mark(card.summary, terms),
        organisation=card.organisation,
        verified=card.verified,
        province=card.province,
        place=card.place,
        fields=card.fields,
        maturity=card.maturity_code,
        price=card.price,
        deadline=card.deadline,
        freshness=freshness(card.updated_at, now=now),
        updated_at=card.updated_at.astimezone(LOCAL_ZONE),
        state=card.state.value,
        level=level,
    )


def make_rows(
    bundles: Sequence[ListingBundle],
    catalogue: Catalogue,
    *,
    reader: Account | None,
    now: datetime,
    terms: Sequence[str] = (),
) -> tuple[Row, ...]:
    """Return the lines of some listings in their order."""
    return tuple(make_row(make_card(bundle, catalogue, reader=reader), now=now, terms=terms) for bundle in bundles)


def freshness(moment: datetime, *, now: datetime) -> str:
    """Return how long ago something changed: in days up to a week, then as the date."""
    then, today = moment.astimezone(LOCAL_ZONE).date(), now.astimezone(LOCAL_ZONE).date()
    days = (today - then).days
    if days <= 0:
        return "今天更新"
    return f"{days} 天前更新" if days < DAYS_IN_WORDS else f"{then:%Y-%m-%d} 更新"
