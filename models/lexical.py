"""Words of one snapshot in a tantivy index: BM25 under the same filter as the vectors."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tantivy

from models.attributes import NEVER_HIGH, Mask, clamped_price, price_range
from models.bm25 import TEXT_FIELDS, FieldBoosts, Statistics, inverse_document_frequency
from models.documents import MOST_MATURE, IndexDocument, IndexFilter, Vector
from models.layout import Rows

ANALYSER = "tokens"
HEAP_BYTES = 50_000_000
NONE = "-"  # stands for "states no field" or "states no mode"; no code has it

NO_HITS = np.empty(0, np.int64), np.empty(0, np.float32)
Must, Should = tantivy.Occur.Must, tantivy.Occur.Should


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    for name in TEXT_FIELDS:
        # Stored, so that the words of a replaced document can be taken out of the statistics.
        builder.add_text_field(name, stored=True, tokenizer_name=ANALYSER, index_option="freq")
    for name in ("kind", "region", "park", "field", "mode"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_unsigned_field("maturity", indexed=True, fast=True)
    for name in ("price_low", "price_high", "published_at"):
        builder.add_integer_field(name, indexed=True, fast=True)
    return builder.build()


def _with_analyser(index: Any) -> Any:
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(ANALYSER, whitespace)
    return index


def write_words(
    folder: Path, documents: Iterable[tuple[IndexDocument, tuple[list[str], ...]]], *, threads: int = 1
) -> None:
    """Write documents with the tokens of their text fields, in row order, as a tantivy index in an empty folder."""
    index = _with_analyser(tantivy.Index(_schema(), path=str(folder), reuse=False))
    writer = index.writer(heap_size=HEAP_BYTES * threads, num_threads=threads)
    for row, (document, tokens) in enumerate(documents):
        writer.add_document(_entry(row, document, tokens))
    writer.commit()
    writer.wait_merging_threads()


def _entry(row: int, document: IndexDocument, tokens: tuple[list[str], ...]) -> Any:
    entry = tantivy.Document()
    for name, words in zip(TEXT_FIELDS, tokens, strict=True):
        entry.add_text(name, " ".join(words))
    entry.add_unsigned("row", row)
    entry.add_text("kind", document.kind)
    entry.add_text("region", document.region)
    if document.park is not None:
        entry.add_text("park", document.park)
    for name, codes in (("field", document.fields), ("mode", document.modes)):
        for code in codes or (NONE,):
            entry.add_text(name, code)
    low, high = price_range(document)
    entry.add_unsigned("maturity", document.maturity)
    entry.add_integer("price_low", low)
    entry.add_integer("price_high", high)
    entry.add_integer("published_at", document.published_at)
    return entry


class WordIndex:
    """The words of one snapshot on disk; safe for any number of reading threads.

    `mean_lengths` are the mean numbers of tokens of the text fields, which tantivy holds too but does not tell.
    """

    def __init__(self, folder: Path, mean_lengths: tuple[float, ...], *, boosts: FieldBoosts) -> None:
        index = _with_analyser(tantivy.Index.open(str(folder)))
        index.config_reader("manual")  # a snapshot never changes: no watching thread
        index.reload()
        self._schema, self._searcher = index.schema, index.searcher()
        self._boosts = boosts.by_field()
        self.mean_lengths = mean_lengths

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def containing(self, field: int, term: str) -> int:
        """Return how many documents have a term in a text field."""
        return int(self._searcher.doc_freq(TEXT_FIELDS[field], term))

    def tokens(self, row: int) -> tuple[list[str], ...]:
        """Return the tokens of each text field of one row."""
        query = tantivy.Query.term_query(self._schema, "row", row)
        [(_, address)] = self._searcher.search(query, limit=1, count=False).hits
        entry = self._searcher.doc(address)
        return tuple(entry.get_first(name).split() for name in TEXT_FIELDS)

    def search(
        self,
        terms: Mapping[str, float],
        where: IndexFilter,
        keep: Mask,
        limit: int,
        *,
        statistics: Statistics | None = None,
    ) -> tuple[Rows, Vector]:
        """Return the `limit` kept rows with the highest BM25 scores above 0, and the scores, best first.

        `keep` (n,) bool decides; `where` only spares tantivy the rows that cannot be kept. `statistics` are those of a
        larger collection that this snapshot is a part of.
        """
        text = self._text_query(terms, statistics)
        if text is None or not keep.any():
            return NO_HITS
        query = tantivy.Query.boolean_query([(Must, text), *((Must, part) for part in self._predicates(where))])
        asked = limit
        while True:
            rows, scores = self._hits(query, asked)
            kept = keep[rows]
            if len(rows) < asked or np.count_nonzero(kept) >= limit:
                return rows[kept][:limit], scores[kept][:limit]
            asked *= 4

    def _hits(self, query: Any, limit: int) -> tuple[Rows, Vector]:
        hits = self._searcher.search(query, limit=limit, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float32)

    def _text_query(self, terms: Mapping[str, float], statistics: Statistics | None) -> Any:
        parts = []
        for term, weight in terms.items():
            for field, name in enumerate(TEXT_FIELDS):
                own = self._searcher.doc_freq(name, term)
                if own == 0:
                    continue
                boost = weight * self._boosts[field]
                if statistics is not None:
                    # tantivy multiplies by its own inverse frequency, which this turns into the larger collection's.
                    boost *= statistics.inverse_frequency(field, term) / inverse_document_frequency(len(self), own)
                part = tantivy.Query.term_query(self._schema, name, term, index_option="freq")
                parts.append((Should, tantivy.Query.boost_query(part, boost)))
        return tantivy.Query.boolean_query(parts) if parts else None

    def _predicates(self, where: IndexFilter) -> list[Any]:
        unknown = {NONE} if where.unknown_passes else set()
        wanted = {
            "kind": {where.kind} if where.kind else set(),
            "region": where.regions,
            "park": where.parks,
            "field": where.fields | unknown if where.fields else where.fields,
            "mode": where.modes | unknown if where.modes else where.modes,
        }
        parts = [self._any_of(name, sorted(codes)) for name, codes in wanted.items() if codes]
        parts.extend(self._ranges(where))
        return [tantivy.Query.const_score_query(part, 0.0) for part in parts]

    def _any_of(self, name: str, codes: Sequence[str]) -> Any:
        if len(codes) == 1:  # twice as fast as a set of one
            return tantivy.Query.term_query(self._schema, name, codes[0], index_option="basic")
        return tantivy.Query.term_set_query(self._schema, name, codes)

    def _ranges(self, where: IndexFilter) -> list[Any]:
        parts = []
        if where.maturity_at_least > 0:
            lowest = min(where.maturity_at_least, MOST_MATURE + 1)
            known = self._range("maturity", tantivy.FieldType.Unsigned, lower_bound=lowest)
            parts.append(self._or_equal(known, "maturity", 0, where))
        if where.published_since is not None:
            parts.append(self._range("published_at", tantivy.FieldType.Integer, lower_bound=where.published_since))
        if where.price_at_least is not None:
            lowest = max(clamped_price(where.price_at_least), 0)
            known = self._range("price_high", tantivy.FieldType.Integer, lower_bound=lowest)
            parts.append(self._or_equal(known, "price_high", NEVER_HIGH, where))
        if where.price_at_most is not None:
            highest = clamped_price(where.price_at_most)
            known = self._range("price_low", tantivy.FieldType.Integer, upper_bound=highest)
            parts.append(self._or_equal(known, "price_high", NEVER_HIGH, where))
        return parts

    def _range(self, name: str, kind: Any, *, lower_bound: int | None = None, upper_bound: int | None = None) -> Any:
        return tantivy.Query.range_query(self._schema, name, kind, lower_bound, upper_bound)

    def _or_equal(self, known: Any, name: str, unknown: int, where: IndexFilter) -> Any:
        if not where.unknown_passes:
            return known
        return tantivy.Query.boolean_query(
            [(Should, known), (Should, tantivy.Query.term_query(self._schema, name, unknown))]
        )
