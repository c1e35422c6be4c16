"""What of an explanation a reader may see: nothing of a description or a figure that a card keeps from them."""

from dataclasses import replace

from backend.listings.cards import Card
from backend.matching.explanation import Explanation
from backend.matching.requirements import Requirement
from models.passages import Evidence
from models.text import normalise

HIDDEN_FIGURE = "一项技术指标（仅技术经理人可见）"
HIDDEN_VALUE = "成果方的数值仅技术经理人可见"


def disclose(explanation: Explanation, demand: Card, supply: Card) -> Explanation:
    """Return what the two cards let their reader see of an explanation; the counts of requirements stay true."""
    if not (demand.description_is_hidden or supply.description_is_hidden):
        return explanation
    return replace(
        explanation,
        requirements=tuple(_disclosed(item, demand) for item in explanation.requirements),
        evidence=tuple(item for item in explanation.evidence if _is_open(item, demand, supply)),
        terms=tuple(term for term in explanation.terms if _says(demand, term) and _says(supply, term)),
        counterparts=tuple(
            item
            for item in explanation.counterparts
            if _says(demand, item.demand_term) and _says(supply, item.supply_term)
        ),
    )


def _disclosed(item: Requirement, demand: Card) -> Requirement:
    if not item.is_figure:
        return item
    if demand.description_is_hidden:
        return replace(item, text=HIDDEN_FIGURE, note="", quote="")
    return replace(item, note=HIDDEN_VALUE, quote="")


def _is_open(item: Evidence, demand: Card, supply: Card) -> bool:
    return item.demand_quote in _written(demand) and item.supply_quote in _written(supply)


def _says(card: Card, term: str) -> bool:
    """Tell whether the open part of a listing has a term, which stands in normal form."""
    return term.casefold() in normalise(_written(card)).casefold()


def _written(card: Card) -> str:
    return "\n".join((card.title, card.summary, " ".join(card.keywords), card.description, card.baseline))
