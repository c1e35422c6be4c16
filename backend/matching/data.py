"""Matches and cards as plain data, the same for the API and the shell."""

from dataclasses import replace
from typing import Any

from backend.accounts.tables import Account
from backend.listings.cards import Card, make_card
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching.bridges import reason_of
from backend.matching.disclosure import disclose
from backend.matching.explanation import LEVEL_WORDS, Explanation
from backend.matching.highlighting import unmarked
from backend.matching.service import Match
from backend.policy.catalogue import Catalogue


def match_as_data(
    match: Match, catalogue: Catalogue, *, reader: Account | None, of: ListingBundle | None = None
) -> dict[str, Any]:
    """Return a match with its level, reasons and quotes as `reader` may see them; never a bare score.

    `of` is the listing that it answers; without one the asking text is the reader's own.
    """
    found = make_card(match.bundle, catalogue, reader=reader)
    asking = make_card(of, catalogue, reader=reader) if of else replace(found, description_is_hidden=False)
    demand, supply = (asking, found) if found.kind is Kind.SUPPLY else (found, asking)
    return {
        "listing": card_as_data(found),
        "level": match.level.value,
        "level_word": LEVEL_WORDS[match.level],
        **explanation_as_data(disclose(match.explanation, demand, supply)),
    }


def explanation_as_data(explanation: Explanation) -> dict[str, Any]:
    """Return everything that is said of a pair, as far as it was disclosed to the reader."""
    return {
        "requirements_met": explanation.met,
        "requirements_total": explanation.total,
        "requirements": [
            {"status": item.status, "text": item.text, "note": item.note, "quote": item.quote}
            for item in explanation.requirements
        ],
        "quotes": [{"demand": item.demand_quote, "supply": item.supply_quote} for item in explanation.evidence],
        "shared_terms": list(explanation.terms),
        "counterparts": [
            {
                "demand": item.demand_term,
                "supply": item.supply_term,
                "relation": item.relation.value,
                "text": item.text,
            }
            for item in explanation.counterparts
        ],
        "policy": [{"cite": ground.cite, "text": ground.text} for ground in explanation.grounds],
        "reason": unmarked(reason_of(explanation)),
    }


def card_as_data(card: Card) -> dict[str, Any]:
    """Return a card as its reader may see it; contact details are never part of it."""
    return {
        "id": str(card.id),
        "kind": card.kind.value,
        "state": card.state.value,
        "title": card.title,
        "summary": card.summary,
        "description": card.description,
        "organisation": card.organisation,
        "province": card.province,
        "place": card.place,
        "park": card.park,
        "fields": list(card.fields),
        "industry": card.industry,
        "keywords": list(card.keywords),
        "modes": list(card.modes),
        "price": card.price,
        "indicators": [
            {"name": line.name, "value": line.value, "unit": line.unit, "condition": line.condition}
            for line in card.indicators
        ],
        "maturity": card.maturity_code,
        "deadline": card.deadline.isoformat() if card.deadline else None,
        "published_at": card.published_at.isoformat() if card.published_at else None,
        "href": card.href,
    }
