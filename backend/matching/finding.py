"""What words find in the index: by meaning and by the words themselves, and what of it is worth showing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from backend.platform import Platform
from models.bm25 import term_weights
from models.documents import ANY, Candidate, IndexFilter, SearchEngine
from models.expansion import alternatives, expanded_terms
from models.text import tokens
from models.thesaurus import shipped

RETRIEVED = 500
NEAR_POOL = 20  # some of the nearest may be of the other kind, or no longer published
# The floors were set on the demonstration market: the 1,009 keywords of its 240 listings as queries. At these values
# 1 of 1,440 listings that hold the keyword is lost, and 0.35 listings per query come in that do not hold it.
LEAST_COVERAGE = 0.5
# Titles as queries: at 0.35 a query finds 2.0 listings of its own field and 0.7 of others by meaning alone.
DENSE_FLOOR = 0.35
NEAR_FLOOR = 0.2  # below this even the nearest is of any field: offering it would be a joke
MOST_TERMS = 16  # of a query whose terms are looked up one by one, at a quarter of a millisecond each
MOST_ALTERNATIVES = 6  # looked up in the same way
# Of the best score, for longer queries: at 0.15 a title finds 0.5 other listings of its field and 0.1 of others.
SCORE_SHARE = 0.15
FOUND = 1e-6  # a lexical score of 0 means that no word is shared
Telling = Callable[[Candidate], bool]


@dataclass(frozen=True)
class Found:
    """Listings that words find, best first; `near` is what comes nearest in meaning."""

    ids: tuple[UUID, ...]
    near: tuple[UUID, ...]


def find_by_words(session: Session, text: str, platform: Platform) -> Found:
    """Return the listings that words find, without regard to any filter."""
    index = platform.index.current(session)
    terms = term_weights(tokens(text))
    vector = platform.encoder.encode_queries([text])[0]
    candidates = index.retrieve(vector, expanded_terms(text, shipped()), limit=RETRIEVED)
    is_telling = _covering(index, text, terms) if len(terms) <= MOST_TERMS else _scoring(candidates)
    kept = [entry for entry in candidates if (entry.dense_score or 0.0) >= DENSE_FLOOR or is_telling(entry)]
    near = [entry for entry in candidates if (entry.dense_score or 0.0) >= NEAR_FLOOR]
    by_meaning = sorted(near, key=lambda entry: (-(entry.dense_score or 0.0), entry.id))
    return Found(
        ids=tuple(UUID(entry.id) for entry in kept),
        near=tuple(UUID(entry.id) for entry in by_meaning[:NEAR_POOL]),
    )


def _covering(index: SearchEngine, text: str, terms: Mapping[str, float]) -> Telling:
    """Return whether a candidate holds half of what the terms of a query say, each weighed by its rarity.

    A term found n times among N documents weighs ln(1 + N / n); one that is found nowhere counts as half a document.
    What holds an equivalent holds the terms it stands for: 电池管理系统 is as good as BMS.
    """
    holders = {term: _holders(index, term) for term in terms}
    for alternative in alternatives(text, shipped())[:MOST_ALTERNATIVES]:
        ids = _holders_of_all(index, alternative.tokens)
        for term in holders.keys() & set(alternative.instead_of):
            holders[term] |= ids
    documents = index.count()
    rarity = {term: math.log1p(documents / max(len(ids), 0.5)) for term, ids in holders.items()}
    least = LEAST_COVERAGE * sum(rarity.values())
    return lambda entry: (
        _shares_words(entry) and sum(rarity[term] for term, ids in holders.items() if entry.id in ids) >= least
    )


def _holders(index: SearchEngine, term: str, where: IndexFilter = ANY) -> set[str]:
    return {entry.id for entry in index.retrieve(None, {term: 1.0}, where, RETRIEVED) if _shares_words(entry)}


def _holders_of_all(index: SearchEngine, terms: Sequence[str]) -> set[str]:
    """Return the documents that hold every term; what scores best for all of them together has them if any has."""
    best = index.retrieve(None, dict.fromkeys(terms, 1.0), limit=RETRIEVED)
    ids = {entry.id for entry in best if _shares_words(entry)}
    for term in terms:
        if ids:
            ids = _holders(index, term, IndexFilter(only=frozenset(ids)))
    return ids


def _scoring(candidates: Sequence[Candidate]) -> Telling:
    """Return whether a candidate scores well against the best one of the same query."""
    best = max((entry.lexical_score or 0.0 for entry in candidates), default=0.0)
    return lambda entry: _shares_words(entry) and (entry.lexical_score or 0.0) >= best * SCORE_SHARE


def _shares_words(entry: Candidate) -> bool:
    return (entry.lexical_score or 0.0) > FOUND
