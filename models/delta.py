"""Documents changed since the snapshot, in memory: exact vectors and BM25."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.attributes import AttributeTable, Codebook, Mask, matching
from models.bm25 import TEXT_FIELDS, FieldBoosts, Postings, Statistics
from models.documents import IndexDocument, IndexFilter, Vector

Tokens = tuple[list[str], ...]


@dataclass(frozen=True)
class Delta:
    """An immutable view of the changed documents, each in a numbered slot; replaced ones leave a dead slot behind.

    `vectors` is (m, d) float32. `postings` is shared with older and newer views, of which each sees its own m slots.
    """

    documents: tuple[IndexDocument, ...]
    vectors: Vector
    table: AttributeTable
    postings: Postings
    slots: Mapping[str, int]
    dead: frozenset[int] = frozenset()

    @classmethod
    def empty(cls, dimension: int) -> "Delta":
        """Return a delta without documents."""
        vectors = np.empty((0, dimension), np.float32)
        return cls((), vectors, AttributeTable.of((), Codebook()), Postings(), {})

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def live(self) -> int:
        """Return the number of documents that were not replaced or removed."""
        return len(self.slots)

    def without(self, ids: Sequence[str]) -> "Delta":
        """Return the delta without the documents of these ids, where it has them."""
        gone = {self.slots[id_] for id_ in ids if id_ in self.slots}
        slots = {id_: slot for id_, slot in self.slots.items() if slot not in gone}
        return replace(self, slots=slots, dead=self.dead | gone)

    def with_documents(self, documents: Sequence[IndexDocument], tokens: Sequence[Tokens], book: Codebook) -> "Delta":
        """Return the delta with new documents, given the tokens of each and a codebook that knows their codes."""
        if not documents:
            return self
        vectors = np.concatenate([self.vectors, np.stack([document.vector for document in documents])])
        table = self.table.joined(AttributeTable.of(documents, book))
        slots = {document.id: len(self) + place for place, document in enumerate(documents)}
        # Last, because it changes what older and newer views share, and cannot fail.
        for words in tokens:
            self.postings.add(words)
        grown = self.documents + tuple(documents)
        return replace(self, documents=grown, vectors=vectors, table=table, slots={**self.slots, **slots})

    def keep(self, book: Codebook, where: IndexFilter) -> Mask:
        """Return which slots hold a live document that passes a filter, as (m,) bool."""
        keep = matching(self.table, book, where)
        keep[list(self.dead)] = False
        keep[[self.slots[id_] for id_ in where.exclude if id_ in self.slots]] = False
        if where.only is not None:
            keep &= np.isin(np.arange(len(self)), [self.slots[id_] for id_ in where.only if id_ in self.slots])
        return keep

    def containing(self, field: int, term: str) -> int:
        """Return how many live documents have a term in a text field."""
        return self.postings.containing(field, term, len(self), self.dead)

    def total_lengths(self) -> list[int]:
        """Return the number of tokens of all live documents in each text field."""
        lengths = [self.postings.lengths[slot] for slot in self.slots.values()]
        return [sum(length[field] for length in lengths) for field in range(len(TEXT_FIELDS))]

    def cosines(self, vector: Vector, keep: Mask) -> dict[str, float]:
        """Return the cosine of every kept document with a (d,) unit vector."""
        kept = np.flatnonzero(keep)
        values = (self.vectors[kept] @ vector).tolist()
        return {self.documents[slot].id: value for slot, value in zip(kept.tolist(), values, strict=True)}

    def word_scores(
        self, terms: Mapping[str, float], keep: Mask, statistics: Statistics, boosts: FieldBoosts
    ) -> dict[str, float]:
        """Return the BM25 score of every kept document that has a term of the query."""
        scores = self.postings.scores(terms, statistics, boosts, len(self))
        return {self.documents[slot].id: score for slot, score in scores.items() if keep[slot]}
