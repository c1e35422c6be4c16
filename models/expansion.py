"""A query's terms together with those of its equivalents, at a lower weight: BMS also finds 电池管理系统."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from models.bm25 import indexable, term_weights
from models.text import normalise, tokens
from models.thesaurus import Thesaurus

EQUIVALENT_WEIGHT = 0.3
"""Of all tokens of an equivalent together, beside 1 for those of the term that stands in the query.

From 0.1 to 0.7 no judged collection tells the difference; at 1 the answers among the candidates become fewer.
"""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a query could say as well: another name of a term in it, and the tokens of both."""

    name: str
    tokens: tuple[str, ...]
    instead_of: tuple[str, ...]


def alternatives(text: str, thesaurus: Thesaurus) -> list[Alternative]:
    """Return the other names of the terms that a query names, in the order of the query."""
    return list(_alternatives(normalise(text), thesaurus))


def expanded_terms(text: str, thesaurus: Thesaurus) -> dict[str, float]:
    """Return the terms of a query with their weights, and those it lacks of what it could say as well.

    The terms that stand in the query weigh what they weigh without a thesaurus.
    """
    normal = normalise(text)
    terms = term_weights(tokens(normal))
    added: dict[str, float] = {}
    for other in _alternatives(normal, thesaurus):
        weight = EQUIVALENT_WEIGHT * len(other.instead_of) / len(other.tokens)
        for token in other.tokens:
            if token not in terms:
                added[token] = max(weight, added.get(token, 0.0))
    return terms | added


def _alternatives(normal: str, thesaurus: Thesaurus) -> Iterator[Alternative]:
    for term in dict.fromkeys(found.term for found in thesaurus.find(normal)):
        for name in thesaurus.equivalents(term):
            yield Alternative(name, _tokens(name), _tokens(term))


@lru_cache(maxsize=8_192)  # about what the shipped thesaurus has
def _tokens(name: str) -> tuple[str, ...]:
    return tuple(indexable(tokens(name)))
