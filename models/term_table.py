"""How telling a word or a pair of characters is: document frequencies counted once over a large corpus, shipped."""

import gzip
import hashlib
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import add
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.text import HAN, HAN_RUN, words

UNKNOWN_IDS = 1 << 32  # what the file lists has ids from 0, by its place; what it does not list from here

_RUN = re.compile(rf"(?P<han>[{HAN}]+)|c\+\+|c#|[^\W_{HAN}]+")
_NUMBER = re.compile(r"[\d.]+")


def telling_words(text: str) -> list[str]:
    """Return the words of a text without pure numbers, which say how much and not of what."""
    return [word for word in words(text) if not _NUMBER.fullmatch(word)]


def signs(normal: str) -> list[str]:
    """Return the Han characters, the pairs of neighbours among them, and the words of other scripts but pure numbers.

    `normal` is in normal form and lower case. Characters make 热泵 and 供热 meet, where segmentation sees two words.
    """
    found: list[str] = []
    for match in _RUN.finditer(normal):
        run = match.group()
        if match["han"]:
            found += run
            found += map(add, run, run[1:])
        elif not _NUMBER.fullmatch(run):
            found.append(run)
    return found


def is_han(term: str) -> bool:
    """Whether a term begins with a Han character."""
    return HAN_RUN.match(term) is not None


class TermTable:
    """Ids and weights of words and of signs; a weight is the inverse document frequency, ln(1 / share of passages)."""

    def __init__(
        self,
        *,
        words: Mapping[str, float],
        signs: Mapping[str, float],
        unknown: float,
        passage_length: float,
        revision: str = "",
    ) -> None:
        self._words, self._unknown = words, unknown
        self.revision = revision
        """Hash of the file it was read from."""
        self.passage_length = passage_length
        """Distinct signs of a passage, on average."""
        known = {**signs, **{word: weight for word, weight in words.items() if not is_han(word)}}
        self._places = {sign: place for place, sign in enumerate(known)}
        self._weights = np.array(list(known.values()), np.float64)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a gzipped file of `kind<TAB>term<TAB>share` lines.

        Its first line has the share of a term too rare to be listed and the mean number of distinct signs in a passage.

        Raises: ValueError naming the file if it is none.
        """
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                least, length = map(float, next(lines).split("\t"))
                tables: dict[str, dict[str, float]] = {"w": {}, "s": {}}
                for line in lines:
                    kind, term, share = line.rstrip("\n").split("\t")
                    tables[kind][term] = -math.log(float(share))
        except (OSError, StopIteration, ValueError, KeyError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: is no table of terms ({error!r})") from error
        revision = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(
            words=tables["w"], signs=tables["s"], unknown=-math.log(least), passage_length=length, revision=revision
        )

    def word_weight(self, word: str) -> float:
        """Return how telling a word is."""
        return self._words.get(word, self._unknown)

    def look_up(self, signs: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the ids (n,) and the weights (n,) of n signs; a sign that the file lacks has an id by its checksum."""
        ids = np.array(list(map(self._places.get, signs, repeat(-1))), np.int64)
        weights = self._weights.take(ids, mode="wrap")
        unknown = np.flatnonzero(ids < 0)
        ids[unknown] = [UNKNOWN_IDS + zlib.crc32(signs[place].encode()) for place in unknown.tolist()]
        weights[unknown] = self._unknown
        return ids, weights
