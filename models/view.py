"""One consistent state of the index: a snapshot, what has changed since, and every question answered over both."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.attributes import Codebook, Mask, counted, matching
from models.bm25 import TEXT_FIELDS, FieldBoosts, Postings, Statistics, mean_lengths
from models.delta import Delta, Tokens
from models.documents import Candidate, Dimension, IndexDocument, IndexFilter, Vector
from models.layout import Rows
from models.ranking import fuse
from models.snapshot import Snapshot

Scored = list[tuple[str, float]]


@dataclass(frozen=True)
class View:
    """An immutable state of the index that any number of threads may question.

    `alive` (n,) bool says which rows of the snapshot still stand. The first `deaths` of `buried` are the words of the
    other rows, which BM25 must no longer count; the list is shared with newer views.
    """

    snapshot: Snapshot
    book: Codebook
    alive: Mask
    buried: Postings
    deaths: int
    delta: Delta
    boosts: FieldBoosts

    @classmethod
    def of(cls, snapshot: Snapshot, boosts: FieldBoosts) -> "View":
        """Return the view of a snapshot since which nothing has changed."""
        alive = np.ones(len(snapshot.ids), np.bool_)
        return cls(snapshot, snapshot.book, alive, Postings(), 0, Delta.empty(snapshot.vectors.dimension), boosts)

    def changed(self, ids: Sequence[str], documents: Sequence[IndexDocument], tokens: Sequence[Tokens]) -> "View":
        """Return the view without what it has under `ids`, and with the documents, given the tokens of each."""
        book = self.book.extended(documents)
        dying = [row for row in self._rows(ids) if self.alive[row]]
        words = [self.snapshot.words.tokens(row) for row in dying]
        # Everything that can fail comes before the shared lists grow.
        delta = self.delta.without(ids).with_documents(documents, tokens, book)
        for lost in words:
            self.buried.add(lost)
        alive = self.alive.copy()
        alive[dying] = False
        return replace(self, book=book, alive=alive, deaths=self.deaths + len(dying), delta=delta)

    def masks(self, where: IndexFilter) -> tuple[Mask, Mask]:
        """Return which rows of the snapshot and which slots of the delta hold a document that passes a filter."""
        keep = matching(self.snapshot.table, self.book, where) & self.alive
        keep[self._rows(where.exclude)] = False
        if where.only is not None:
            only = np.zeros(len(keep), np.bool_)
            only[self._rows(where.only)] = True
            keep &= only
        return keep, self.delta.keep(self.book, where)

    def _rows(self, ids: Iterable[str]) -> list[int]:
        return [self.snapshot.rows[id_] for id_ in ids if id_ in self.snapshot.rows]

    def count(self, where: IndexFilter) -> int:
        """Return how many documents pass a filter."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks(where))

    def facet_counts(self, where: IndexFilter, dimension: Dimension) -> dict[str, int]:
        """Return how many documents under a filter have each value of a dimension, without zeros."""
        rows, slots = self.masks(where)
        counts = Counter(counted(self.snapshot.table, self.book, rows, dimension))
        counts.update(counted(self.delta.table, self.book, slots, dimension))
        return dict(counts)

    def content_hashes(self) -> dict[str, str]:
        """Return the content hash of every document by id."""
        standing = np.flatnonzero(self.alive).tolist()
        hashes = {self.snapshot.ids[row]: self.snapshot.content_hashes[row] for row in standing}
        return hashes | {id_: self.delta.documents[slot].content_hash for id_, slot in self.delta.slots.items()}

    def neighbours(self, vector: Vector, where: IndexFilter, limit: int) -> Scored:
        """Return the ids nearest to a (d,) unit vector with their cosines, best first."""
        rows, slots = self.masks(where)
        return self._nearest(vector, rows, self.delta.cosines(vector, slots), limit)

    def retrieve(
        self, vector: Vector | None, terms: Mapping[str, float], where: IndexFilter, limit: int
    ) -> list[Candidate]:
        """Return the best `limit` by cosine and the best `limit` by BM25, fused, best first."""
        rows, slots = self.masks(where)
        statistics = self._statistics(terms)
        cosines = {} if vector is None else self.delta.cosines(vector, slots)
        words = self.delta.word_scores(terms, slots, statistics, self.boosts) if statistics else {}
        worded = self._worded(terms, where, rows, words, statistics, limit)
        if vector is None:
            return fuse(None, worded, {})
        nearest = self._nearest(vector, rows, cosines, limit)
        return fuse(nearest, worded, cosines | self._other_cosines(vector, nearest, worded))

    def _nearest(self, vector: Vector, rows: Mask, changed: Mapping[str, float], limit: int) -> Scored:
        found, cosines = self.snapshot.vectors.search(vector, rows, limit)
        return best([*self._named(found, cosines), *changed.items()], limit)

    def _worded(
        self,
        terms: Mapping[str, float],
        where: IndexFilter,
        rows: Mask,
        changed: Mapping[str, float],
        statistics: Statistics | None,
        limit: int,
    ) -> Scored:
        found, scores = self.snapshot.words.search(terms, where, rows, limit, statistics=statistics)
        return best([*self._named(found, scores), *changed.items()], limit)

    def _other_cosines(self, vector: Vector, nearest: Scored, worded: Scored) -> dict[str, float]:
        """Return the cosines of the snapshot's documents that only the lexical side ranked."""
        had = {id_ for id_, _ in nearest}
        rows = self._rows(id_ for id_, _ in worded if id_ not in had and id_ not in self.delta.slots)
        only = np.zeros(len(self.alive), np.bool_)
        only[rows] = True
        return dict(self._named(*self.snapshot.vectors.search(vector, only, len(rows), exact=True)))

    def _named(self, rows: Rows, scores: Vector) -> Scored:
        return [(self.snapshot.ids[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]

    def _statistics(self, terms: Mapping[str, float]) -> Statistics | None:
        """Return what BM25 must know of the living documents, or None when the snapshot alone knows it all."""
        if not self.deaths and not len(self.delta):
            return None
        keys = [(field, term) for term in terms for field in range(len(TEXT_FIELDS))]
        return Statistics(
            documents=len(self.alive) - self.deaths + self.delta.live,
            mean_lengths=self._mean_lengths(),
            containing={key: self._containing(*key) for key in keys},
        )

    def _containing(self, field: int, term: str) -> int:
        before = self.snapshot.words.containing(field, term)
        return before - self.buried.containing(field, term, self.deaths) + self.delta.containing(field, term)

    def _mean_lengths(self) -> tuple[float, ...]:
        # tantivy scores with the snapshot's own means, which therefore hold for the changed documents too.
        if len(self.alive):
            return self.snapshot.words.mean_lengths
        return mean_lengths(self.delta.total_lengths(), self.delta.live)


def best(scored: Scored, limit: int) -> Scored:
    """Return the `limit` highest scores, best first; ties sort by id."""
    return sorted(scored, key=lambda item: (-item[1], item[0]))[:limit]
