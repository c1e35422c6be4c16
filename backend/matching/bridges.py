"""A pair as the bridge shows it: the same words on page, desk, digest and API, for one given reader."""

from dataclasses import dataclass

from markupsafe import Markup

from backend.accounts.tables import Account
from backend.listings.cards import Card, make_card
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching.disclosure import disclose
from backend.matching.explanation import Explanation, ordered
from backend.matching.grounds import Ground
from backend.matching.highlighting import mark, quoted, unmarked
from backend.matching.requirements import Requirement
from backend.matching.service import Match
from backend.policy.catalogue import Catalogue
from models.relevance import MatchLevel

QUOTE_SOURCE = "成果说明"


@dataclass(frozen=True)
class Pair:
    """A demand and a supply with what is thought of them, before it is known who reads it."""

    demand: ListingBundle
    supply: ListingBundle
    level: MatchLevel
    explanation: Explanation


def pair_of(bundle: ListingBundle, match: Match) -> Pair:
    """Return a listing and one of its matches as a pair."""
    demand, supply = ordered(bundle, match.bundle)
    return Pair(demand, supply, match.level, match.explanation)


@dataclass(frozen=True)
class Bank:
    """One side of a bridge."""

    title: str
    href: str
    organisation: str
    province: str
    place: str
    facts: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class RequirementLine:
    """One requirement as it is shown; the quote is a part of the supply's own text, its figure marked."""

    status: str
    text: str
    note: str
    quote: Markup
    source: str


@dataclass(frozen=True)
class Bridge:
    """Everything that the bridge component shows of one pair. `plain_reason` is `reason` without marks, for mail."""

    demand: Bank
    supply: Bank
    level: str
    met: int
    total: int
    reason: Markup
    plain_reason: str
    requirements: tuple[RequirementLine, ...]
    policy: tuple[Ground, ...]
    terms: tuple[str, ...]
    counterparts: tuple[str, ...]
    href: str
    here: str


def bridge_of(
    pair: Pair,
    *,
    catalogue: Catalogue,
    reader: Account | None,
    here: Kind | None = None,
    rank: int = 0,
) -> Bridge:
    """Return a pair as `reader` (None: the public) may see it; `here` is the side whose page it stands on.

    `rank` is its place in the list it stands in, kept in its address so that feedback can say what was shown.
    """
    asked, offered = (make_card(bundle, catalogue, reader=reader) for bundle in (pair.demand, pair.supply))
    shown = disclose(pair.explanation, asked, offered)
    reason = reason_of(shown)
    suffix = f"?rank={rank}" if rank else ""
    return Bridge(
        demand=bank_of(asked),
        supply=bank_of(offered),
        level=pair.level.value,
        met=shown.met,
        total=shown.total,
        reason=reason,
        plain_reason=unmarked(reason),
        requirements=tuple(requirement_line(item) for item in shown.requirements),
        policy=shown.grounds,
        terms=shown.terms,
        counterparts=tuple(item.text for item in shown.counterparts),
        href=f"/pairs/{pair.demand.id}/{pair.supply.id}{suffix}",
        here=here.value if here else "",
    )


def reason_of(explanation: Explanation) -> Markup:
    """Return why a pair fits, with passages of both sides, and then what does not fit, which is always said."""
    best = next(iter(explanation.evidence), None)
    if best:
        others = explanation.counterparts
        asked = quoted(best.demand_quote, (*explanation.terms, *(item.demand_term for item in others)))
        offered = quoted(best.supply_quote, (*explanation.terms, *(item.supply_term for item in others)))
        reason = Markup("需求写到{}，成果写到{}。").format(asked, offered)
    else:
        reason = Markup("{}。").format(explanation.strongest_reason)
    return Markup("{}{}").format(reason, _what_is_missed(explanation))


def _what_is_missed(explanation: Explanation) -> str:
    missed = explanation.missed
    if not missed:
        return ""
    note = f"（{missed[0].note}）" if missed[0].note else ""
    more = f"等 {len(missed)} 项" if len(missed) > 1 else ""
    return f"不满足：{missed[0].text}{note}{more}。"


def requirement_line(item: Requirement) -> RequirementLine:
    """Return one requirement as it is shown."""
    return RequirementLine(
        status=item.status,
        text=item.text,
        note=item.note,
        quote=mark(item.quote, ()),
        source=QUOTE_SOURCE if item.quote else "",
    )


def bank_of(card: Card) -> Bank:
    """Return one side of a bridge."""
    return Bank(
        title=card.title,
        href=card.href,
        organisation=card.organisation,
        province=card.province,
        place=card.place,
        facts=facts_of(card),
        summary=card.summary,
    )


def facts_of(card: Card) -> tuple[str, ...]:
    """Return the few facts of a listing that decide soonest: maturity, money, deadline."""
    is_demand = card.kind is Kind.DEMAND
    maturity = f"要求{card.maturity}" if is_demand and card.maturity else card.maturity
    money = f"{'预算' if is_demand else '报价'} {card.price}"
    deadline = f"{card.deadline:%Y-%m-%d} 截止" if card.deadline else ""
    return tuple(fact for fact in (maturity, money, deadline) if fact)
