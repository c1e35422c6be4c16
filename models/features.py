"""What two texts have in common, as readable numbers: shared signs by weight and directions of meaning.

Every feature is a function of the two texts alone. Sums run over shared signs in the order of their ids, so that a pair
has the same features, to the last bit, from whichever side it is looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.documents import Vector
from models.encoder import unit_rows
from models.term_table import TermTable
from models.text import normalise

MOST_CHARACTERS = 6_000  # of a text; what comes later in a listing of that length no longer changes what it is about

LENGTHS = np.geomspace(4, 8_192, 12)  # distinct signs; between them what chance gives is interpolated
LEAST_INVERSE = 1e-3  # a sign in every passage still has a chance to be absent
CHANCE_FLOOR = (
    25.0  # added to the variance of chance: one sign of middling weight, so that a few rare hits prove little
)

Numbers = NDArray[np.float64]

VECTOR_FEATURES = ("meaning_cosine",)
FEATURES = (*VECTOR_FEATURES, "term_cosine", "term_demand_surplus")
"""Names of the columns of `pair_features`, in order; why these three: `training/LOG.md`.

The cosine of meaning compares directions, that of terms weighted signs. The surplus is how much more of the demand's
signs' weight the supply has than a text of its length has by chance, as the logarithm of 1 + standard deviations of
chance. It tells answers from traps, since a long text has some of everything. It is 0 where chance gives as much, and
where one of the two texts is a bare title, too short to speak of chance.
"""


@dataclass(frozen=True, slots=True)
class PairText:
    """The author's text of one listing, in any script."""

    title: str
    keywords: str = ""
    body: str = ""

    @property
    def content(self) -> str:
        """Return what stands below the title, or the title where nothing does."""
        return "\n".join(part for part in (self.keywords, self.body) if part.strip()) or self.title


@dataclass(frozen=True, slots=True)
class Bag:
    """The distinct signs of a text (m,), by ascending id."""

    ids: NDArray[np.int64]
    inverse: Numbers
    """The inverse document frequency."""
    weights: Numbers
    """The same times 1 + ln frequency."""
    length: float
    """Of the weights, as a vector."""

    @classmethod
    def of(cls, normal: str, table: TermTable) -> Self:
        """Return the bag of a text in normal form."""
        ids, inverse, times = table.count(normal.lower())
        weights = inverse * (1 + np.log(times))
        return cls(ids, inverse, weights, float(np.sqrt(np.sum(weights * weights))))


@dataclass(frozen=True, slots=True)
class PreparedText:
    """One text, read once: its bag of signs, what chance finds of them, and its direction of meaning."""

    bag: Bag
    is_bare: bool
    """Whether it is a title with nothing below, or the reverse."""
    chance: Numbers
    """Of a demand, (2, l): mean and variance of the weight of its signs that an unrelated text of each of the `LENGTHS`
    has. Nobody asks it of a supply: (2, 0)."""
    direction: Vector
    """(d,) float32 of unit length, or zero: title and content count alike, however long the content is."""


def prepare(
    texts: Sequence[PairText], table: TermTable, encode: Callable[[Sequence[str]], Vector], *, are_demands: bool
) -> list[PreparedText]:
    """Read texts of one kind; `encode` maps n texts to (n, d) float32 with rows of unit length, or zero."""
    titles = [normalise((text.title.strip() or text.content)[:MOST_CHARACTERS]) for text in texts]
    contents = [normalise(text.content[:MOST_CHARACTERS]) for text in texts]
    vectors = encode([*titles, *contents]).reshape(2, len(texts), -1)
    directions = unit_rows(vectors[0] + vectors[1])
    prepared = []
    for title, content, direction in zip(titles, contents, directions, strict=True):
        is_bare = title == content
        bag = Bag.of(title if is_bare else f"{title}\n{content}", table)
        chance = _chance(bag, table) if are_demands else np.zeros((2, 0))
        prepared.append(PreparedText(bag, is_bare, chance, direction))
    return prepared


def _chance(bag: Bag, table: TermTable) -> Numbers:
    """Return mean and variance (2, l) of the weight found, each sign being there or not on its own.

    A passage of the table's mean length has a sign with the chance exp(-weight), one of k times the length with
    1 - (1 - chance)^k.
    """
    absent = np.log1p(-np.exp(-np.maximum(bag.inverse, LEAST_INVERSE)))
    present = -np.expm1(np.outer(LENGTHS / table.passage_length, absent))
    return np.stack([present @ bag.inverse, (present * (1 - present)) @ bag.inverse**2])


def pair_features(one: PreparedText, many: Sequence[PreparedText], *, one_is_demand: bool) -> Numbers:
    """Return (n, f) float64, the `FEATURES` of one text with each of n texts of the other kind."""
    pair, mine, theirs = _hits(one.bag, [text.bag for text in many])
    others = np.concatenate([text.bag.weights for text in many])
    lengths = one.bag.length * np.array([text.bag.length for text in many])

    def total(values: Numbers) -> Numbers:
        # bincount adds in the order of the hits; it gives whole numbers if there are none.
        return np.bincount(pair, weights=values, minlength=len(many)).astype(np.float64)

    full = np.array([not (one.is_bare or text.is_bare) for text in many])
    if one_is_demand:
        chance, sizes = np.stack([one.chance] * len(many)), np.array([len(text.bag.ids) for text in many])
    else:
        chance, sizes = np.stack([text.chance for text in many]), np.full(len(many), len(one.bag.ids))
    columns = {
        "meaning_cosine": _cosines(one.direction, np.array([text.direction for text in many])),
        "term_cosine": _ratio(total(one.bag.weights[mine] * others[theirs]), lengths),
        "term_demand_surplus": _surplus(total(one.bag.inverse[mine]), chance, sizes) * full,
    }
    return np.stack([columns[name] for name in FEATURES], axis=1)


def _cosines(one: Vector, many: Vector) -> Numbers:
    # Row by row and not by a matrix product, whose rounding depends on how many rows there are.
    cosines: Numbers = np.sum(many.astype(np.float64) * one.astype(np.float64), axis=1)
    return cosines


def _surplus(found: Numbers, chance: Numbers, sizes: NDArray[np.int64]) -> Numbers:
    """Return (n,) by how much what was found exceeds chance (n, 2, l) in texts of n sizes; see `FEATURES`."""
    place = np.interp(np.log(np.maximum(sizes, 1)), np.log(LENGTHS), np.arange(len(LENGTHS)))
    low = np.minimum(place.astype(np.int64), len(LENGTHS) - 2)
    rows, part = np.arange(len(sizes)), (place - low)[:, None]
    mean, variance = (chance[rows, :, low] * (1 - part) + chance[rows, :, low + 1] * part).T
    surplus: Numbers = np.log1p(np.maximum(found - mean, 0) / np.sqrt(variance + CHANCE_FLOOR))
    return surplus


def _hits(one: Bag, many: Sequence[Bag]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each sign shared with one of many: which of many, its place in one, its place in all of many."""
    ids = np.concatenate([bag.ids for bag in many])
    pair = np.repeat(np.arange(len(many)), [len(bag.ids) for bag in many])
    place = np.searchsorted(one.ids, ids)
    known = np.append(one.ids, -1)  # no id; what is beyond the last one meets it
    theirs = np.flatnonzero(known[place] == ids)
    return pair[theirs], place[theirs], theirs


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
