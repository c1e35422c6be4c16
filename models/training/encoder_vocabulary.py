"""Choose the encoder's vocabulary and build its tokenizer, which cuts Chinese into words without rjieba."""

import math
import re
from collections import Counter
from collections.abc import Iterable

from scipy.sparse import csr_matrix
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from models.text import HAN, words

UNKNOWN = "[UNK]"
LONGEST_WORD = 6  # characters; longer words of rjieba are names and whole phrases
FEWEST_CHARACTERS = 3  # occurrences below which a character stays unknown
LONGEST_LATIN = 20
LONGEST_NUMBER = 4
FEWEST_GREEK = 50
FEWEST_NUMBERS = 200
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
UNSEEN = 0.1  # occurrences lent to a letter or digit that never stood alone, so that any Latin word can be cut

_HAN_WORD = re.compile(f"[{HAN}]+")
_LATIN_WORD = re.compile("[a-z]+")
_GREEK_WORD = re.compile("[α-ω]+")
_NUMBER = re.compile("[0-9]+")

Pieces = list[tuple[str, float]]
"""Pieces with their log-probabilities, the unknown piece first, then by falling probability."""


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Count the words of all texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words(text))
    return counts


def choose_pieces(counts: Counter[str], *, fewest: int) -> Pieces:
    """Return the words seen at least `fewest` times, and every character from which others can be put together.

    Scores are log-frequencies, so that the likeliest cut of a sentence is nearly rjieba's.
    """
    frequencies = {word: float(count) for word, count in counts.items() if _is_piece(word, count, fewest)}
    characters: Counter[str] = Counter()
    for word, count in counts.items():
        if _HAN_WORD.fullmatch(word):
            characters.update(dict.fromkeys(word, count))
    for character, count in characters.items():
        if count >= FEWEST_CHARACTERS:
            frequencies.setdefault(character, max(counts[character], 0.5))
    for character in ALPHABET:
        frequencies.setdefault(character, UNSEEN)
    total = math.log(counts.total())
    pieces = [(piece, math.log(frequency) - total) for piece, frequency in frequencies.items()]
    return [(UNKNOWN, 0.0), *sorted(pieces, key=lambda piece: (-piece[1], piece[0]))]


def _is_piece(word: str, count: int, fewest: int) -> bool:
    if _HAN_WORD.fullmatch(word):
        return 1 < len(word) <= LONGEST_WORD and count >= fewest
    if _LATIN_WORD.fullmatch(word):
        return len(word) <= LONGEST_LATIN and count >= fewest
    if _NUMBER.fullmatch(word):
        return len(word) <= LONGEST_NUMBER and count >= FEWEST_NUMBERS
    return bool(_GREEK_WORD.fullmatch(word)) and count >= FEWEST_GREEK


def build_tokenizer(pieces: Pieces) -> Tokenizer:
    """Return a Unigram tokenizer that looks at letters and digits only and cuts each run at its likeliest places."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Lowercase()
    runs = Regex(r"\p{Han}+|\p{Latin}+|\p{Greek}+|\p{Nd}+")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(runs, behavior="removed", invert=True)
    return tokenizer


def compose(pieces: Pieces) -> csr_matrix:
    """Return (v, v) float32: row i holds 1 for piece i itself, its characters and, if it is longer, its bigrams.

    Times the pieces' own vectors (v, d) it gives the vectors that the tokenizer's pieces are served with: a rare word
    leans on the characters it is written with. Source: Bojanowski et al., TACL 2017, with Han for letters.
    """
    index = {piece: row for row, (piece, _) in enumerate(pieces)}
    rows, columns = list(range(len(pieces))), list(range(len(pieces)))
    for piece, row in index.items():
        if len(piece) < 2 or not _HAN_WORD.fullmatch(piece):  # noqa: PLR2004 - a character has no parts
            continue
        parts = [*piece, *(piece[i : i + 2] for i in range(len(piece) - 1) if len(piece) > 2)]  # noqa: PLR2004
        known = [index[part] for part in parts if part in index]
        rows += [row] * len(known)
        columns += known
    matrix = csr_matrix(([1.0] * len(rows), (rows, columns)), shape=(len(pieces), len(pieces)), dtype="float32")
    matrix.sum_duplicates()
    return matrix
