"""The page of one pair: both sides beside each other, every requirement, the evidence marked in both texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from markupsafe import Markup
from sqlmodel import Session

from backend.accounts.tables import Account
from backend.errors import NotFound
from backend.listings import repository as listings
from backend.listings.cards import Card, make_card
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import repository
from backend.matching.bridges import Bridge, Pair, bridge_of
from backend.matching.disclosure import disclose
from backend.matching.explanation import Explanation, explain, pair_text
from backend.matching.feedback import VERDICT_LABELS, Shown, UnfitReason, may_judge, seal_of
from backend.matching.highlighting import paragraphs
from backend.matching.listing_page import may_read
from backend.platform import Platform
from backend.web.pages import Page


@dataclass(frozen=True)
class Side:
    """One side of a pair with the passages that speak for it marked in its own text."""

    card: Card
    summary: tuple[Markup, ...]
    description: tuple[Markup, ...]


@dataclass(frozen=True)
class PairPage(Page):
    """A pair. `said` is what the reader said of it before; `seal` and errors belong to the feedback form."""

    template: ClassVar[str] = "matching/pair.html"

    bridge: Bridge
    demand: Side
    supply: Side
    may_judge: bool
    said: str
    rank: int
    seal: str
    reasons: tuple[tuple[str, str], ...]
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BrokenPairPage(Page):
    """A pair of which one side or both are no longer public."""

    template: ClassVar[str] = "matching/pair_gone.html"

    sides: tuple[tuple[str, str, str, str], ...]
    """Kind, title, state and address of each."""


def load_pair(session: Session, demand_id: UUID, supply_id: UUID) -> tuple[ListingBundle, ListingBundle]:
    """Return a demand and a supply. Raises: NotFound if either is not there, or not of its kind."""
    found = listings.load_bundles(session, [demand_id, supply_id])
    demand, supply = found.get(demand_id), found.get(supply_id)
    if demand is None or supply is None or demand.demand is None or supply.supply is None:
        raise NotFound("没有这一对需求和成果。")
    return demand, supply


def make_pair_page(
    session: Session,
    demand: ListingBundle,
    supply: ListingBundle,
    *,
    platform: Platform,
    reader: Account | None,
    rank: int = 0,
    errors: Sequence[tuple[str, str]] = (),
) -> PairPage | BrokenPairPage:
    """Return the page of a pair for one reader. Raises: NotFound for what this reader may not know of."""
    if not all([may_read(demand, reader), may_read(supply, reader)]):
        return BrokenPairPage(tuple(_remains(bundle) for bundle in (demand, supply)))
    pair = judge_pair(demand, supply, platform=platform)
    asked, offered = (make_card(bundle, platform.catalogue, reader=reader) for bundle in (demand, supply))
    shown = disclose(pair.explanation, asked, offered)
    return PairPage(
        bridge=bridge_of(pair, catalogue=platform.catalogue, reader=reader),
        demand=_side(asked, shown),
        supply=_side(offered, shown),
        may_judge=may_judge(reader, demand, supply),
        said=_said(session, reader, demand, supply),
        rank=rank,
        seal=seal_of(demand, supply, ranker=platform.scorer.name),
        reasons=tuple((reason.value, reason.label) for reason in UnfitReason),
        errors=tuple(errors),
    )


def judge_pair(demand: ListingBundle, supply: ListingBundle, *, platform: Platform) -> Pair:
    """Return a pair with its level and its reasons."""
    judgement = platform.scorer.judge(pair_text(demand), [pair_text(supply)])[0]
    reasons = explain(demand, supply, scorer=platform.scorer, catalogue=platform.catalogue)
    return Pair(demand, supply, judgement.level, reasons)


def what_was_shown(
    demand: ListingBundle, supply: ListingBundle, *, platform: Platform, seal: str, level: str, rank: int
) -> Shown:
    """Return what the page of a pair showed whose form comes back with these values.

    A judgement depends on the two texts and the ranker alone, so that it can be repeated while the seal still holds.
    Once a side or the ranker has changed only what the form itself says is known.
    """
    ranker = platform.scorer.name
    if seal != seal_of(demand, supply, ranker=ranker):
        return Shown(level=level, rank=rank)
    judgement = platform.scorer.judge(pair_text(demand), [pair_text(supply)])[0]
    return Shown(level=judgement.level.value, rank=rank, features=judgement.features, ranker=ranker)


def _side(card: Card, shown: Explanation) -> Side:
    if card.kind is Kind.DEMAND:
        quotes = [item.demand_quote for item in shown.evidence]
        description = "\n".join(part for part in (card.description, card.baseline) if part)
    else:
        quotes = [item.supply_quote for item in shown.evidence]
        quotes += [item.quote for item in shown.requirements if item.quote]
        description = card.description
    return Side(card, paragraphs(card.summary, quotes), paragraphs(description, quotes))


def _said(session: Session, reader: Account | None, demand: ListingBundle, supply: ListingBundle) -> str:
    if reader is None:
        return ""
    key = (supply.id, demand.id)
    kept = repository.find_feedback(session, reader.id, [key]).get(key)
    if kept is None:
        return ""
    reason = UnfitReason(kept.reason).label if kept.reason in set(UnfitReason) else ""
    return VERDICT_LABELS[kept.verdict] + (f"（{reason}）" if reason else "")


def _remains(bundle: ListingBundle) -> tuple[str, str, str, str]:
    listing = bundle.listing
    return listing.kind.value, listing.title, listing.state.value, f"/listings/{listing.id}"
