"""What a given reader may see of a listing: the one place where contact, anonymity and visibility are decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from backend.accounts.tables import Account, Role
from backend.listings.forms import YUAN_PER_WAN
from backend.listings.repository import ListingBundle
from backend.listings.tables import IpKind, Kind, PriceKind, State, Visibility
from backend.policy.catalogue import Catalogue

ANONYMOUS = "（应发布方要求隐去）"
INSIDERS = frozenset({Role.MANAGER, Role.MODERATOR, Role.ADMINISTRATOR})
OPERATORS = {">=": "≥ ", "<=": "≤ ", "=": "", "range": ""}


@dataclass(frozen=True)
class IndicatorLine:
    """One figure as it is read."""

    name: str
    value: str
    unit: str
    condition: str


@dataclass(frozen=True)
class Card:
    """A listing as one reader may see it. Contact details are never part of it."""

    id: UUID
    kind: Kind
    state: State
    title: str
    summary: str
    description: str
    description_is_hidden: bool
    organisation: str
    organisation_kind: str
    verified: bool
    province: str
    place: str
    park: str
    fields: tuple[str, ...]
    industry: str
    keywords: tuple[str, ...]
    modes: tuple[str, ...]
    price: str
    indicators: tuple[IndicatorLine, ...]
    maturity: str
    maturity_code: str
    trl: int | None
    ip: str
    wants: str
    baseline: str
    hopes_for_voucher: bool
    deadline: date | None
    published_at: datetime | None
    updated_at: datetime
    is_own: bool

    @property
    def href(self) -> str:
        """Return the address of the listing's page."""
        return f"/listings/{self.id}"


def make_card(bundle: ListingBundle, catalogue: Catalogue, *, reader: Account | None) -> Card:
    """Return what `reader` (None: the public) may see of a listing."""
    listing = bundle.listing
    is_own = reader is not None and reader.id == listing.owner_id
    is_insider = is_own or (reader is not None and reader.role in INSIDERS)
    is_hidden = listing.visibility is Visibility.MANAGERS and not is_insider
    is_named = not listing.is_anonymous or is_insider
    supply, demand = bundle.supply, bundle.demand
    maturity = supply.maturity if supply else demand.needs_maturity if demand else None
    return Card(
        id=listing.id,
        kind=listing.kind,
        state=listing.state,
        title=listing.title,
        summary=listing.summary,
        description="" if is_hidden else listing.description,
        description_is_hidden=is_hidden,
        organisation=bundle.organisation.name if is_named else ANONYMOUS,
        organisation_kind=bundle.organisation.kind.value,
        verified=is_named and bundle.organisation.verified_at is not None,
        province=catalogue.province_of(listing.region_code).code,
        place=place_name(catalogue, listing.region_code),
        park=catalogue.park(listing.park_code).name if listing.park_code else "",
        fields=bundle.fields,
        industry=catalogue.industry(listing.industry_code).name if listing.industry_code else "",
        keywords=tuple(listing.keywords),
        modes=tuple(mode.value for mode in bundle.modes),
        price=price_text(listing.price_kind, listing.price_low, listing.price_high),
        indicators=() if is_hidden else indicator_lines(listing.indicators),
        maturity=maturity.label if maturity else "",
        maturity_code=maturity.value if maturity else "",
        trl=supply.trl if supply else None,
        ip=_ip_text(bundle),
        wants="、".join(catalogue.region(code).short for code in demand.wants_regions) if demand else "",
        baseline="" if is_hidden or demand is None else demand.baseline,
        hopes_for_voucher=demand is not None and demand.hopes_for_voucher,
        deadline=listing.deadline_on,
        published_at=listing.published_at,
        updated_at=listing.updated_at,
        is_own=is_own,
    )


def place_name(catalogue: Catalogue, code: str) -> str:
    """Return a place as people say it, from the province down: 河北唐山曹妃甸区."""
    path = catalogue.path_of(code)
    return "".join(region.short for region in path[:-1]) + path[-1].name if len(path) > 1 else path[-1].name


def price_text(kind: PriceKind, low: int | None, high: int | None) -> str:
    """Return a price or budget in words; amounts in yuan are said in 万元."""
    if kind is not PriceKind.RANGE:
        return kind.label
    if low is not None and high is not None:
        return f"{_wan(low)} 万元" if low == high else f"{_wan(low)}–{_wan(high)} 万元"
    return f"{_wan(low)} 万元以上" if low is not None else f"{_wan(high or 0)} 万元以内"


def _wan(yuan: int) -> str:
    return f"{(Decimal(yuan) / YUAN_PER_WAN).normalize():,f}"


def indicator_lines(indicators: Sequence[dict[str, Any]]) -> tuple[IndicatorLine, ...]:
    """Return figures as they are read: ≥ 300 Wh/kg, 5–10 ℃."""
    return tuple(
        IndicatorLine(
            name=indicator["name"],
            value=indicator_value(indicator),
            unit=indicator.get("unit", ""),
            condition=indicator.get("condition", ""),
        )
        for indicator in indicators
    )


def indicator_value(indicator: dict[str, Any]) -> str:
    """Return the comparison and the number of one figure, without its unit."""
    value = _number(indicator.get("value"))
    if indicator.get("op") == "range":
        return f"{value}–{_number(indicator.get('value_to'))}"
    return f"{OPERATORS.get(indicator.get('op', '='), '')}{value}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.10g}"


def _ip_text(bundle: ListingBundle) -> str:
    if bundle.supply is None or not bundle.supply.ip_kinds:
        return ""
    from_codes = "、".join(IpKind(code).label for code in bundle.supply.ip_kinds)
    status = bundle.supply.ip_status
    return f"{from_codes}（{status.label}）" if status else from_codes
