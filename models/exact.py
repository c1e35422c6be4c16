"""The engine's twin without an index: every document looked at, one by one. The oracle of the contract tests."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from models.bm25 import (
    DEFAULT_BOOSTS,
    TEXT_FIELDS,
    FieldBoosts,
    Tokenize,
    field_tokens,
    inverse_document_frequency,
    mean_lengths,
    saturation,
)
from models.documents import ANY, Candidate, Change, Dimension, IndexDocument, IndexFilter, Upsert, Vector
from models.ranking import fuse


class ExactIndex:
    """Documents in a dictionary, answering exactly what the engine must answer, slowly."""

    def __init__(self, *, tokenize: Tokenize, boosts: FieldBoosts = DEFAULT_BOOSTS) -> None:
        self._tokenize, self._boosts = tokenize, boosts
        self._documents: dict[str, IndexDocument] = {}
        self._words: dict[str, tuple[Counter[str], ...]] = {}
        self._sequences: dict[str, int] = {}
        self._means: tuple[float, ...] | None = None

    def rebuild(self, documents: Iterable[IndexDocument]) -> None:
        """Hold exactly these documents, whose mean field lengths BM25 goes on using until the next rebuild."""
        self._documents, self._words, self._sequences = {}, {}, {}
        for document in documents:
            self._put(document)
        self._means = self._live_means() if self._documents else None

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes; for one id the highest sequence wins."""
        for change in changes:
            if change.sequence <= self._sequences.get(change.id, -1):
                continue
            self._sequences[change.id] = change.sequence
            self._documents.pop(change.id, None)
            self._words.pop(change.id, None)
            if isinstance(change, Upsert):
                self._put(change.document)

    def _put(self, document: IndexDocument) -> None:
        self._documents[document.id] = document
        self._words[document.id] = tuple(Counter(words) for words in field_tokens(document, self._tokenize))

    def count(self, where: IndexFilter = ANY) -> int:
        """Return how many documents pass a filter."""
        return len(self._passing(where))

    def facet_counts(self, where: IndexFilter, dimension: Dimension) -> dict[str, int]:
        """Return how many documents under a filter have each value of a dimension, without zeros."""
        return dict(Counter(value for document in self._passing(where) for value in _values(document, dimension)))

    def content_hashes(self) -> dict[str, str]:
        """Return the content hash of every document by id."""
        return {id_: document.content_hash for id_, document in self._documents.items()}

    def neighbours(self, vector: Vector, where: IndexFilter = ANY, limit: int = 20) -> list[tuple[str, float]]:
        """Return the ids nearest to a (d,) unit vector with their cosines, best first."""
        return _best(self._cosines(vector, where), limit)

    def retrieve(
        self, vector: Vector | None, terms: Mapping[str, float], where: IndexFilter = ANY, limit: int = 200
    ) -> list[Candidate]:
        """Return the best `limit` by cosine and the best `limit` by BM25, fused, best first."""
        words = _best(self._word_scores(terms, where), limit)
        if vector is None:
            return fuse(None, words, {})
        cosines = self._cosines(vector, where)
        return fuse(_best(cosines, limit), words, cosines)

    def _passing(self, where: IndexFilter) -> list[IndexDocument]:
        return [document for document in self._documents.values() if passes(document, where)]

    def _cosines(self, vector: Vector, where: IndexFilter) -> dict[str, float]:
        return {document.id: float(np.dot(document.vector, vector)) for document in self._passing(where)}

    def _word_scores(self, terms: Mapping[str, float], where: IndexFilter) -> dict[str, float]:
        means = self._means or self._live_means()
        scores: dict[str, float] = {}
        for term, weight in terms.items():
            for field, boost in enumerate(self._boosts.by_field()):
                holders = {id_: words[field] for id_, words in self._words.items() if term in words[field]}
                rarity = inverse_document_frequency(len(self._words), len(holders))
                for id_, words in holders.items():
                    part = saturation(words[term], words.total(), means[field])
                    scores[id_] = scores.get(id_, 0.0) + weight * boost * rarity * part
        return {id_: score for id_, score in scores.items() if passes(self._documents[id_], where)}

    def _live_means(self) -> tuple[float, ...]:
        totals = [sum(words[field].total() for words in self._words.values()) for field in range(len(TEXT_FIELDS))]
        return mean_lengths(totals, len(self._words))


def passes(document: IndexDocument, where: IndexFilter) -> bool:
    """Return whether a document passes every predicate of a filter."""
    return (
        where.kind in (None, document.kind)
        and (not where.regions or document.region in where.regions)
        and (not where.parks or document.park in where.parks)
        and _any_agrees(document.fields, where.fields, where)
        and _any_agrees(document.modes, where.modes, where)
        and (document.maturity >= where.maturity_at_least or (document.maturity == 0 and where.unknown_passes))
        and (where.published_since is None or document.published_at >= where.published_since)
        and _price_passes(document, where)
        and document.id not in where.exclude
        and (where.only is None or document.id in where.only)
    )


def _any_agrees(stated: frozenset[str], wanted: frozenset[str], where: IndexFilter) -> bool:
    return not wanted or bool(stated & wanted) or (not stated and where.unknown_passes)


def _price_passes(document: IndexDocument, where: IndexFilter) -> bool:
    low, high = document.price_low, document.price_high
    if low is None and high is None:
        return where.unknown_passes or (where.price_at_least is None and where.price_at_most is None)
    reaches = where.price_at_least is None or high is None or high >= where.price_at_least
    return reaches and (where.price_at_most is None or (low or 0) <= where.price_at_most)


def _values(document: IndexDocument, dimension: Dimension) -> Iterable[str]:
    match dimension:
        case Dimension.FIELDS:
            return document.fields
        case Dimension.MODES:
            return document.modes
        case Dimension.PARK:
            return () if document.park is None else (document.park,)
        case _:
            return (str(getattr(document, dimension.value)),)


def _best(scores: Mapping[str, float], limit: int) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
