"""What to show of a matching pair: the fragments that carry the match, and the terms that both texts use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features import PairText
from models.relevance import PairScorer
from models.segments import Segments
from models.term_table import TermTable
from models.text import HAN, normalise, words

LEAST_WEIGHT = 0.12  # of a pair of fragments that is shown; what is below shares chance words only
FULL_AMOUNT = 12.0  # weight of shared signs, about a word of two rare characters, from which chance is unlikely

COMMON_WEIGHT = 3.2  # a word in more than 4 % of passages names no technology: 系统, 方法, 提高
EDGE_WEIGHT = 2.6  # a part of a longer term may be commoner (7 %), but not 的, 在, 和
LONGEST_TERM = 4  # words joined into one term
MOST_CHARACTERS = 12  # of a joined term

_UNITS = frozenset(
    [
        *("mm", "cm", "km", "nm", "um", "μm", "kg", "mg", "ml", "hz", "khz", "mhz", "ghz", "kw", "mw", "kwh", "kv"),
        *("mv", "ma", "ah", "ms", "μs", "us", "ns", "db", "dbm", "kpa", "mpa", "gpa", "min", "ppm", "rpm", "gb", "tb"),
    ]
)
_MEASURE = re.compile(r"[\d.]{2,}\w*")
_HAN_ONLY = re.compile(f"[{HAN}]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two fragments that speak of the same thing, each a substring of its author's title or body."""

    demand_quote: str
    supply_quote: str
    weight: float
    """0 to 1; how much the two fragments share in meaning and in telling signs."""


def find_evidence(scorer: PairScorer, demand: PairText, supply: PairText, limit: int = 3) -> list[Evidence]:
    """Return at most `limit` pairs of fragments that carry the match, best first, no fragment twice."""
    (asked,) = scorer.segments([demand], are_demands=True)
    (offered,) = scorer.segments([supply], are_demands=False)
    if not asked.quotes or not offered.quotes:
        return []
    weights = _agreement(asked, offered)
    found: list[Evidence] = []
    while len(found) < limit:
        row, column = divmod(int(weights.argmax()), weights.shape[1])
        weight = float(weights[row, column])
        if weight < LEAST_WEIGHT:
            break
        found.append(Evidence(asked.quotes[row], offered.quotes[column], weight))
        weights[row, :] = weights[:, column] = -1
    return found


def _agreement(asked: Segments, offered: Segments) -> NDArray[np.float64]:
    """Return (n, m) float64, how much each fragment of one text agrees with each of another, 0 to 1."""
    left, right = _term_matrices(asked, offered)
    lengths = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    products = left @ right.T
    cosines = np.minimum(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0), 1)
    # The square root of the products' sum is near the sum of the weights of a few shared signs, and cheaper.
    amount = np.minimum(np.sqrt(products) / FULL_AMOUNT, 1)
    meaning = np.clip(asked.vectors @ offered.vectors.T, 0, 1).astype(np.float64)
    agreement: NDArray[np.float64] = (meaning + cosines) / 2 * (1 + amount) / 2
    return agreement


def _term_matrices(asked: Segments, offered: Segments) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n, t) and (m, t) float64: the weights of each fragment over the t signs of both texts."""
    bags = [*asked.bags, *offered.bags]
    ids, columns = np.unique(np.concatenate([bag.ids for bag in bags]), return_inverse=True)
    rows = np.repeat(np.arange(len(bags)), [len(bag.ids) for bag in bags])
    matrix = np.zeros((len(bags), len(ids)))
    matrix[rows, columns] = np.concatenate([bag.weights for bag in bags])
    return matrix[: len(asked.bags)], matrix[len(asked.bags) :]


def shared_terms(scorer: PairScorer, demand: PairText, supply: PairText, limit: int = 8) -> list[str]:
    """Return the most telling terms that both texts use, in normal form, heaviest first, none inside another.

    A term is a word, or neighbouring words where both texts have them side by side; never a word that most
    texts use, a single character, a number or a unit.
    """
    offered = dict(_terms(supply, scorer.table))
    shared = {key: term for key, term in _terms(demand, scorer.table) if key in offered}
    ranked = sorted(shared, key=lambda key: (-shared[key].weight, key))
    chosen: list[str] = []
    for key in ranked:
        if len(chosen) == limit:
            break
        if not any(key in other for other in chosen):
            chosen = [other for other in chosen if other not in key] + [key]
    return [shared[key].text for key in chosen]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    weight: float


def _terms(text: PairText, table: TermTable) -> Iterator[tuple[str, _Term]]:
    """Yield every term of a text under its lower-case form."""
    normal = normalise(f"{text.title}\n{text.keywords}\n{text.body}")
    for run in _runs(normal, table):
        for start in range(len(run)):
            for stop in range(start + 1, min(start + LONGEST_TERM, len(run)) + 1):
                if (term := _term(normal, run[start:stop])) is not None:
                    yield term.text.lower(), term


def _term(normal: str, parts: Sequence[_Word]) -> _Term | None:
    found = normal[parts[0].start : parts[-1].end]
    weight = sum(part.weight for part in parts)
    if len(found) < 2 or len(found) > MOST_CHARACTERS or max(part.weight for part in parts) < COMMON_WEIGHT:  # noqa: PLR2004 - a single character is no term
        return None
    return _Term(found, weight)


def _runs(normal: str, table: TermTable) -> Iterator[list[_Word]]:
    """Yield runs of words that stand side by side and may be parts of a term, with their places in the text."""
    lower, run, at = normal.lower(), list[_Word](), 0
    for word in words(normal):
        start = lower.find(word, at)
        if start < 0 or len(lower) != len(normal):
            continue
        at, weight = start + len(word), table.word_weight(word)
        usable = weight >= EDGE_WEIGHT and not _MEASURE.fullmatch(word) and word not in _UNITS
        if run and not (usable and _joined(normal, run[-1].end, start)):
            yield run
            run = []
        if usable:
            run.append(_Word(word, start, at, weight))
    if run:
        yield run


def _joined(normal: str, end: int, start: int) -> bool:
    """Whether nothing stands between two words: Han and Han, or a hyphen as in RISC-V."""
    if normal[end:start] == "-":
        return True
    return end == start and _HAN_ONLY.fullmatch(normal[end - 1 : start + 1]) is not None
