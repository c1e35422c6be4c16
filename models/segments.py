"""A listing cut into fragments short enough to be quoted, each an exact part of the author's text."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.documents import Vector
from models.features import Bag, PairText
from models.term_table import TermTable, signs
from models.text import normalise, sentences

LONGEST_QUOTE = 72  # characters; two lines of a card
MOST_SEGMENTS = 64  # of a text; a listing of ordinary length has about twenty
SEARCHED_CHARACTERS = 6_000  # of a body

_CLAUSE = re.compile(r"[^，,；;：:、\n]*[，,；;：:、\n]*")


@dataclass(frozen=True, slots=True)
class Segments:
    """The n fragments of one text, the title first."""

    quotes: tuple[str, ...]
    """Each a substring of the author's title or body."""
    bags: tuple[Bag, ...]
    vectors: Vector
    """(n, d) float32, rows of unit length or zero."""


def cut(text: PairText) -> list[str]:
    """Return the fragments of a text in order: its title, then its sentences, long ones by clauses."""
    parts = [text.title, text.body[:SEARCHED_CHARACTERS]]
    found = [
        part[start:end]
        for part in parts
        for left, right in sentences(part)
        for start, end in _pieces(part, left, right)
    ]
    return list(dict.fromkeys(found))[:MOST_SEGMENTS]


def _pieces(text: str, left: int, right: int) -> list[tuple[int, int]]:
    """Return the spans of a sentence, or of as many of its clauses as a quote may hold; one without clauses is cut."""
    if right - left <= LONGEST_QUOTE:
        return [(left, right)]
    spans, start, end = [], left, left
    for clause in _CLAUSE.finditer(text, left, right):
        if clause.end() - start > LONGEST_QUOTE and end > start:
            spans.append((start, end))
            start = end
        end = clause.end()
    spans.append((start, right))
    short = [(at, min(at + LONGEST_QUOTE, end)) for start, end in spans for at in range(start, end, LONGEST_QUOTE)]
    return [span for span in (_trimmed(text, *span) for span in short) if any(map(str.isalnum, text[slice(*span)]))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip(" \t\n\u3000，,；;：:、"))


def read_segments(text: PairText, table: TermTable, encode: Callable[[Sequence[str]], Vector]) -> Segments:
    """Cut a text into fragments and read each; `encode` as in `prepare`."""
    quotes = cut(text)
    normal = [normalise(quote) for quote in quotes]
    bags = tuple(Bag.of(signs(one.lower()), table) for one in normal)
    vectors = encode(normal) if normal else np.zeros((0, 1), np.float32)
    return Segments(tuple(quotes), bags, vectors)
