"""Terms that mean the same, and terms that answer a problem: found in a text and looked up, at serving time.

The table is written by hand in `models/training/knowledge/thesaurus` and shipped as `weights/thesaurus` without the
terms that could mean several things; `models/training/thesaurus.py` says which those are.
"""

import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from operator import add
from pathlib import Path
from typing import Self

from models.text import HAN_RUN, word_edges

SHIPPED = Path(__file__).parent / "weights" / "thesaurus"
"""The thesaurus that comes with the project."""

GROUPS = "groups.tsv.gz"
HEAD = 2  # first characters by which a term is looked for; no term is shorter
LONGEST_DOUBTFUL = 3  # Han characters of a term that may stand in a text by chance: 中风 in 集中风险


@dataclass(frozen=True, slots=True)
class Group:
    """Terms in normal form that mean the same; or, if it has answers, phrasings of a problem and what answers it."""

    terms: tuple[str, ...]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One term of the thesaurus where it stands in a text: `term` as the table has it, in lower case."""

    term: str
    start: int
    end: int


class Thesaurus:
    """Immutable; any number of threads may read it."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._same: dict[str, tuple[str, ...]] = {}
        self._answers: dict[str, tuple[str, ...]] = {}
        for group in groups:
            table = self._answers if group.answers else self._same
            for name in group.terms:
                others = group.answers or tuple(other for other in group.terms if other != name)
                table[lower(name)] = tuple(dict.fromkeys((*table.get(lower(name), ()), *others)))
        self._lengths: dict[str, tuple[int, ...]] = {}
        for term in sorted({*self._same, *self._answers}, key=len, reverse=True):
            known = self._lengths.get(term[:HEAD], ())
            self._lengths[term[:HEAD]] = known if len(term) in known else (*known, len(term))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a gzipped file with one group a line: terms, then answers if there are any, each list parted by |.

        Raises: ValueError naming the file if it is none.
        """
        path = folder / GROUPS
        try:
            groups = [_group(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        except (OSError, ValueError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: is no thesaurus ({error!r})") from error
        if not groups:
            raise ValueError(f"{path}: is no thesaurus (it is empty)")
        return cls(groups)

    def equivalents(self, term: str) -> tuple[str, ...]:
        """Return what else a term is called: synonyms, abbreviations, names of daily speech."""
        return self._same.get(term, ())

    def answers(self, term: str) -> tuple[str, ...]:
        """Return the terms that answer a phrasing of a problem."""
        return self._answers.get(term, ())

    def find(self, normal: str) -> list[Occurrence]:
        """Return the terms that stand in a text in normal form, in order, the longest at each place, none in another.

        A term of another script than Han stands for itself only between its edges: BMS not in ABMSX. A Han term of
        two or three characters must stand as a word of its own.
        """
        text, found, at = lower(normal), list[Occurrence](), 0
        for start, lengths in enumerate(map(self._lengths.get, map(add, text, text[1:]))):
            if lengths is None or start < at:
                continue
            for length in lengths:
                term = text[start : start + length]
                if (term in self._same or term in self._answers) and _is_whole(text, start, start + length):
                    at = start + length
                    found.append(Occurrence(term, start, at))
                    break
        return found


def _group(line: str) -> Group:
    terms, _, answers = line.partition("\t")
    if not terms or "\t" in answers:
        raise ValueError(f"no group: {line!r}")
    return Group(tuple(terms.split("|")), tuple(answers.split("|")) if answers else ())


def place_of(term: str, text: str) -> int:
    """Return where a term, in lower case, first stands in a text in normal form and lower case, or -1."""
    start = text.find(term)
    while start >= 0 and not _is_whole(text, start, start + len(term)):
        start = text.find(term, start + 1)
    return start


def lower(text: str) -> str:
    """Return a text in lower case, without the few characters that would become two: places stay the same."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := char.lower()) == 1 else char for char in text)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether what stands between two places is a term of its own and no part of a longer word."""
    if _is_letter(text, start) and _is_letter(text, start - 1):
        return False
    if _is_letter(text, end - 1) and _is_letter(text, end):
        return False
    if end - start > LONGEST_DOUBTFUL or not HAN_RUN.fullmatch(text, start, end):
        return True
    left, right = _run_around(text, start)
    edges = word_edges(text[left:right])
    return {start - left, end - left} <= edges or edges.isdisjoint(range(start - left + 1, end - left))


def _is_letter(text: str, place: int) -> bool:
    """Tell whether a letter or digit of another script than Han stands at a place."""
    return 0 <= place < len(text) and text[place].isalnum() and not HAN_RUN.match(text[place])


def _run_around(text: str, place: int) -> tuple[int, int]:
    """Return the ends of the run of Han that a place lies in."""
    left = right = place
    while left and HAN_RUN.match(text[left - 1]):
        left -= 1
    while right < len(text) and HAN_RUN.match(text[right]):
        right += 1
    return left, right


@cache
def shipped() -> Thesaurus:
    """Return the thesaurus that comes with the project."""
    return Thesaurus.load(SHIPPED)
