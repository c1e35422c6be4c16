"""Do two listings say the same? By their words, weighed by rarity: reworded, reordered, shortened, in either script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.features import PairText
from models.term_table import TermTable
from models.text import normalise

# Set with `jiqiao bench duplicates` on listings of a real market, where new varieties of wheat, pumps with four or with
# eight blades and patents of one family are told in almost the same words, and are not the same.
LEAST_CONTAINED = 0.65  # of the weight of the poorer text, which may have lost sentences
LEAST_COMMON = 0.40  # of the weight of both together
LEAST_TITLE_CONTAINED = 0.5  # a body is often copied for another product; then the title says another thing

_DIGIT = {char: str(value) for value, char in enumerate("〇一二三四五六七八九")} | {"零": "0", "两": "2"}
_PLACE = {"十": 10, "百": 100, "千": 1000}
_NUMBER = re.compile(r"\d+(?:\.\d+)?|[〇零一二两三四五六七八九十百千]+")
_MOST_PLACES = 4
_NOT_A_COUNT = re.compile("一种|一类|一个|一体|一次|一步|统一|一致|第一|唯一|单一|万一|千万|百分之")


@dataclass(frozen=True, slots=True)
class Signs:
    """The distinct signs of a text (m,), by ascending id, with their weights."""

    ids: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, text: str, table: TermTable) -> Self:
        """Return the signs of a text in normal form."""
        ids, weights, _ = table.count(text.lower())
        return cls(ids, weights)

    def shared(self, other: "Signs") -> float:
        """Return the weight of the signs that both have."""
        common = np.isin(self.ids, other.ids, assume_unique=True)
        return float(self.weights[common].sum())

    @property
    def weight(self) -> float:
        """Return the weight of all signs."""
        return float(self.weights.sum())


@dataclass(frozen=True, slots=True)
class Reading:
    """What is compared of one listing."""

    title: Signs
    whole: Signs
    numbers: frozenset[float]
    """Those in the title: 陇中3号 is not 陇中4号."""

    @classmethod
    def of(cls, text: PairText, table: TermTable) -> Self:
        """Read a listing."""
        title, whole = normalise(text.title), normalise(f"{text.title}\n{text.content}")
        return cls(Signs.of(title, table), Signs.of(whole, table), frozenset(numbers(title)))


def says_the_same(one: Reading, other: Reading) -> bool:
    """Tell whether two listings say nearly the same of the same thing."""
    if one.numbers != other.numbers:
        return False
    shared = one.whole.shared(other.whole)
    poorer = min(one.whole.weight, other.whole.weight)
    together = one.whole.weight + other.whole.weight - shared
    title = min(one.title.weight, other.title.weight)
    return (
        shared >= LEAST_CONTAINED * poorer > 0
        and shared >= LEAST_COMMON * together
        and one.title.shared(other.title) >= LEAST_TITLE_CONTAINED * title
    )


def numbers(title: str) -> list[float]:
    """Return the numbers of a title, however they are spelled: 3号 and 三号 are the same one."""
    found = (match[0] for match in _NUMBER.finditer(_NOT_A_COUNT.sub(" ", title)))
    return [value for value in map(_value, found) if value is not None]


def _value(spelled: str) -> float | None:
    if spelled[0].isdigit():
        return float(spelled)
    if not any(char in _PLACE for char in spelled):
        return float("".join(_DIGIT[char] for char in spelled)) if len(spelled) <= _MOST_PLACES else None
    total, digit = 0, None
    for char in spelled:
        if char in _PLACE:
            total, digit = total + (1 if digit is None else digit) * _PLACE[char], None
        else:
            digit = int(_DIGIT[char])
    return float(total + (digit or 0))


def same_as(text: PairText, others: Sequence[PairText], table: TermTable) -> list[bool]:
    """Tell for each of some listings whether it says the same as a text."""
    mine = Reading.of(text, table)
    return [says_the_same(mine, Reading.of(other, table)) for other in others]
