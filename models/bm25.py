"""BM25 over three text fields, exactly as tantivy computes it, so that words found in memory and on disk compare.

score(q, d) = sum over fields f and terms t of boost_f * weight_t * idf(f, t) * saturation(tf),
saturation(tf) = (k1 + 1) * tf / (tf + k1 * (1 - b + b * l / mean_f)),
where l is the field's length in tokens after tantivy's rounding to one byte and mean_f the mean length of the field.
Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009; rounding and constants as in Lucene.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.documents import IndexDocument

Tokenize = Callable[[str], Sequence[str]]

TEXT_FIELDS = ("title", "keywords", "body")
K1 = 1.2  # tantivy's constant; it cannot be set
B = 0.75  # likewise
LONGEST_TOKEN = 256  # characters; longer ones are noise, and tantivy drops terms above 65,530 bytes


@dataclass(frozen=True, slots=True)
class FieldBoosts:
    """How much a term counts in each text field."""

    title: float = 2.0
    keywords: float = 1.5
    body: float = 1.0

    def __post_init__(self) -> None:
        if min(self.title, self.keywords, self.body) <= 0:
            raise ValueError(f"boosts must be above 0: {self}")

    def by_field(self) -> tuple[float, ...]:
        """Return the boosts in the order of `TEXT_FIELDS`."""
        return self.title, self.keywords, self.body


DEFAULT_BOOSTS = FieldBoosts()


def _rounded_length(code: int) -> int:
    # Lucene's SmallFloat.byte4ToInt: exact to 40, then three bits of mantissa.
    if code < 24:  # noqa: PLR2004 - free values of the encoding
        return code
    bits, shift = (code - 24) & 7, ((code - 24) >> 3) - 1
    return 24 + (bits if shift < 0 else (bits | 8) << shift)


_LENGTHS = [_rounded_length(code) for code in range(256)]
_SHORT = [_LENGTHS[bisect_right(_LENGTHS, tokens) - 1] for tokens in range(2048)]


def rounded_length(tokens: int) -> int:
    """Return a length in tokens as tantivy keeps it: exact to 40, then rounded down to eight steps per doubling."""
    return _SHORT[tokens] if tokens < len(_SHORT) else _LENGTHS[bisect_right(_LENGTHS, tokens) - 1]


def inverse_document_frequency(documents: int, containing: int) -> float:
    """Return ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N documents; above 0 whenever n <= N."""
    return math.log1p((documents - containing + 0.5) / (containing + 0.5))


def saturation(frequency: int, length: int, mean_length: float) -> float:
    """Return (k1 + 1) * tf / (tf + k1 * (1 - b + b * l / mean)) for a field of `length` tokens."""
    kept = _SHORT[length] if length < len(_SHORT) else rounded_length(length)
    return (K1 + 1) * frequency / (frequency + K1 * (1 - B + B * kept / mean_length))


def mean_lengths(totals: Sequence[int], documents: int) -> tuple[float, ...]:
    """Return the mean length of each text field, and 1 for a field that no document uses, which divides nothing."""
    return tuple(total / documents if total else 1.0 for total in totals)


def indexable(tokens: Iterable[str]) -> list[str]:
    """Return tokens that can be stored as terms: without white space or lone surrogates, at most 256 characters."""
    clean = " ".join(tokens).encode("utf-8", "ignore").decode("utf-8")
    return [token for token in clean.split() if len(token) <= LONGEST_TOKEN]


def field_tokens(document: IndexDocument, tokenize: Tokenize) -> tuple[list[str], ...]:
    """Return the tokens of each text field of a document, in the order of `TEXT_FIELDS`."""
    return tuple(indexable(tokenize(text)) for text in (document.title, document.keywords, document.body))


def term_weights(tokens: Iterable[str]) -> dict[str, float]:
    """Return each distinct query token with the number of times it occurs, as its weight."""
    return {term: float(times) for term, times in Counter(indexable(tokens)).items()}


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 knows of a collection for one query: size, mean field lengths and who contains each term."""

    documents: int
    mean_lengths: tuple[float, ...]
    containing: Mapping[tuple[int, str], int]

    def inverse_frequency(self, field: int, term: str) -> float:
        """Return the inverse document frequency of a term in a field."""
        return inverse_document_frequency(self.documents, self.containing[field, term])


class Postings:
    """Term lists of documents numbered 0, 1, 2, … in memory; only ever appended to.

    One writer may add while others read, as long as each reader passes the number of documents it may see:
    entries stand in the order of numbers, so whatever was added later is cut off.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[int, str], list[tuple[int, int]]] = {}
        self.lengths: list[tuple[int, ...]] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def add(self, tokens: tuple[list[str], ...]) -> int:
        """Add one document by the tokens of its fields and return its number."""
        number = len(self.lengths)
        for field, words in enumerate(tokens):
            for term, frequency in Counter(words).items():
                self._entries.setdefault((field, term), []).append((number, frequency))
        self.lengths.append(tuple(map(len, tokens)))
        return number

    def visible(self, field: int, term: str, documents: int) -> Sequence[tuple[int, int]]:
        """Return (number, frequency) of the documents containing a term among the first `documents`."""
        entries = self._entries.get((field, term))
        return () if entries is None else entries[: bisect_left(entries, (documents, 0))]

    def containing(self, field: int, term: str, documents: int, dead: frozenset[int] = frozenset()) -> int:
        """Return how many of the first `documents` contain a term, not counting the dead."""
        entries = self._entries.get((field, term))
        if entries is None:
            return 0
        end = bisect_left(entries, (documents, 0))
        return sum(number not in dead for number, _ in entries[:end]) if dead else end

    def scores(
        self, terms: Mapping[str, float], statistics: Statistics, boosts: FieldBoosts, documents: int
    ) -> dict[int, float]:
        """Return the BM25 score of each of the first `documents` that has a term of the query."""
        scores: dict[int, float] = {}
        for field, (boost, mean) in enumerate(zip(boosts.by_field(), statistics.mean_lengths, strict=True)):
            for term, weight in terms.items():
                entries = self.visible(field, term, documents)
                if not entries:
                    continue
                factor = weight * boost * statistics.inverse_frequency(field, term)
                for number, frequency in entries:
                    part = factor * saturation(frequency, self.lengths[number][field], mean)
                    scores[number] = scores.get(number, 0.0) + part
        return scores
