"""How telling a word or a pair of characters is: document frequencies counted once over a large corpus, shipped."""

import gzip
import hashlib
import math
import re
import zlib
from collections.abc import Mapping
from itertools import cycle
from operator import add
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.text import HAN, HAN_RUN, words

_HAN_BITS = 21  # of a character's code point; a pair of them is the id of a pair
_OTHER_IDS = 1 << 2 * _HAN_BITS  # from here on: words of other scripts, by checksum

Ids = NDArray[np.int64]
Weights = NDArray[np.float64]

_OTHER_RUN = re.compile(rf"c\+\+|c#|[^\W_{HAN}]+")
_RUN = re.compile(rf"(?P<han>[{HAN}]+)|{_OTHER_RUN.pattern}")
_HAN_EDGES = np.array([ord(edge) + last for edge, last in zip(HAN.replace("-", ""), cycle((0, 1)), strict=False)])
"""Where ranges of Han characters begin and where they have ended, in turn."""
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
        others = {word: weight for word, weight in words.items() if not is_han(word)}
        weights = {_sign_id(sign): weight for sign, weight in {**signs, **others}.items()}
        self._ids = np.array(sorted(weights), np.int64)
        self._weights = np.array([weights[id_] for id_ in self._ids.tolist()], np.float64)

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

    def count(self, normal: str) -> tuple[Ids, Weights, Ids]:
        """Return the ids (n,) of the distinct signs of a text, ascending, their weights (n,) and how often each occurs.

        `normal` is in normal form and lower case; the signs are those of `signs`.
        """
        ids, times = np.unique(_sign_ids(normal), return_counts=True)
        if not len(self._ids):
            return ids, np.full(len(ids), self._unknown), times
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return ids, np.where(self._ids[places] == ids, self._weights[places], self._unknown), times


def _sign_ids(normal: str) -> Ids:
    """Return the id of each sign of a text, in another order than `signs`."""
    codes = np.frombuffer(normal.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    han = _are_han(codes)
    pairs = han[:-1] & han[1:]
    others = [_sign_id(match.group()) for match in _OTHER_RUN.finditer(normal) if not _NUMBER.fullmatch(match.group())]
    return np.concatenate(
        [codes[han], codes[:-1][pairs] << _HAN_BITS | codes[1:][pairs], np.array(others, dtype=np.int64)]
    )


def _sign_id(sign: str) -> int:
    if not is_han(sign):
        return _OTHER_IDS + zlib.crc32(sign.encode("utf-8", "surrogatepass"))
    first, *second = map(ord, sign)
    return first << _HAN_BITS | second[0] if second else first


def _are_han(codes: Ids) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.searchsorted(_HAN_EDGES, codes, side="right") % 2 == 1
    return inside
