"""What two texts have in common, as readable numbers: shared signs by weight and directions of meaning.

Every feature is a function of the two texts alone. Sums run over shared signs in the order of their ids, so that a pair
has the same features, to the last bit, from whichever side it is looked at.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.documents import Vector
from models.term_table import TermTable, signs
from models.text import normalise

MOST_CHARACTERS = 6_000  # of a text; what comes later in a listing of that length no longer changes what it is about

LENGTHS = np.geomspace(4, 8_192, 12)  # distinct signs; between them what chance gives is interpolated
LEAST_INVERSE = 1e-3  # a sign in every passage still has a chance to be absent
CHANCE_FLOOR = (
    25.0  # added to the variance of chance: one sign of middling weight, so that a few rare hits prove little
)

Numbers = NDArray[np.float64]

VECTOR_FEATURES = (
    "meaning_cosine",
    "meaning_title_cosine",
    "meaning_demand_title_supply_body",
    "meaning_supply_title_demand_body",
)
FEATURES = (*VECTOR_FEATURES, "term_cosine", "term_title_cosine", "term_demand_surplus", "term_supply_surplus")
"""Names of the columns of `pair_features`, in order.

Cosines of meaning compare directions, cosines of terms weighted signs. The surplus of a demand is how much more of its
signs' weight the supply has than a text of its length has by chance, as the logarithm of 1 + standard deviations of
chance; and the other way round. It tells answers from traps, since a long text has some of everything. It is 0 where
chance gives as much, and where one of the two texts is a bare title, too short to speak of chance.
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
    title_weights: Numbers
    """The weight where the title has the sign, else 0."""

    @classmethod
    def of(cls, title: Sequence[str], content: Sequence[str], table: TermTable) -> Self:
        """Return the bag of a text from the signs of its title and of what stands below it."""
        counts, in_title = Counter(chain(title, content)), set(title)
        found = list(counts)
        ids, inverse = table.look_up(found)
        times = np.array(list(counts.values()), np.float64)
        titled = np.array(list(map(in_title.__contains__, found)), np.float64)
        order = np.argsort(ids)
        weights = (inverse * (1 + np.log(times)))[order]
        return cls(ids[order], inverse[order], weights, weights * titled[order])


@dataclass(frozen=True, slots=True)
class PreparedText:
    """One text, read once: its bag of signs, what chance finds of them, and its directions of meaning."""

    bag: Bag
    is_bare: bool
    """Whether it is a title with nothing below, or the reverse."""
    chance: Numbers
    """(2, l): mean and variance of the weight of its signs that an unrelated text of each of the `LENGTHS` has."""
    title: Vector
    body: Vector
    whole: Vector


def prepare(
    texts: Sequence[PairText], table: TermTable, encode: Callable[[Sequence[str]], Vector]
) -> list[PreparedText]:
    """Read texts; `encode` maps n texts to (n, d) float32 with rows of unit length, or zero."""
    titles = [normalise((text.title.strip() or text.content)[:MOST_CHARACTERS]) for text in texts]
    contents = [normalise(text.content[:MOST_CHARACTERS]) for text in texts]
    vectors = encode([*titles, *contents]).reshape(2, len(texts), -1)
    whole = _unit(vectors[0] + vectors[1])
    bags = [_bag(title, content, table) for title, content in zip(titles, contents, strict=True)]
    return [
        PreparedText(bag, titles[n] == contents[n], _chance(bag, table), vectors[0, n], vectors[1, n], whole[n])
        for n, bag in enumerate(bags)
    ]


def _bag(title: str, content: str, table: TermTable) -> Bag:
    return Bag.of(signs(title.lower()), signs(content.lower()) if content != title else (), table)


def _chance(bag: Bag, table: TermTable) -> Numbers:
    """Return mean and variance (2, l) of the weight found, each sign being there or not on its own.

    A passage of the table's mean length has a sign with the chance exp(-weight), one of k times the length with
    1 - (1 - chance)^k.
    """
    absent = np.log1p(-np.exp(-np.maximum(bag.inverse, LEAST_INVERSE)))
    present = -np.expm1(np.outer(LENGTHS / table.passage_length, absent))
    return np.stack([present @ bag.inverse, (present * (1 - present)) @ bag.inverse**2])


def _unit(rows: Vector) -> Vector:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vector = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def pair_features(one: PreparedText, many: Sequence[PreparedText], *, one_is_demand: bool) -> Numbers:
    """Return (n, f) float64, the `FEATURES` of one text with each of n texts of the other kind."""
    roles = ("demand", "supply") if one_is_demand else ("supply", "demand")
    columns = _meaning(one, many, roles) | _terms(one, many, roles)
    return np.stack([columns[name] for name in FEATURES], axis=1)


def _meaning(one: PreparedText, many: Sequence[PreparedText], roles: tuple[str, str]) -> dict[str, Numbers]:
    titles = np.array([text.title for text in many], np.float64)
    bodies = np.array([text.body for text in many], np.float64)
    return {
        "meaning_cosine": _cosines(one.whole, np.array([text.whole for text in many])),
        "meaning_title_cosine": _cosines(one.title, titles),
        f"meaning_{roles[0]}_title_{roles[1]}_body": _cosines(one.title, bodies),
        f"meaning_{roles[1]}_title_{roles[0]}_body": _cosines(one.body, titles),
    }


def _cosines(one: Vector, many: NDArray[np.floating]) -> Numbers:
    # Row by row and not by a matrix product, whose rounding depends on how many rows there are.
    cosines: Numbers = np.sum(many.astype(np.float64) * one.astype(np.float64), axis=1)
    return cosines


def _terms(one: PreparedText, many: Sequence[PreparedText], roles: tuple[str, str]) -> dict[str, Numbers]:
    bags = [text.bag for text in many]
    pair, mine, theirs = _hits(one.bag, bags)

    def total(values: Numbers) -> Numbers:
        # bincount adds in the order of the hits; it gives whole numbers if there are none.
        return np.bincount(pair, weights=values, minlength=len(many)).astype(np.float64)

    def product(own: Numbers, others: Sequence[Numbers]) -> Numbers:
        lengths = np.array([_norm(other) for other in others])
        return _ratio(total(own[mine] * np.concatenate(others)[theirs]), _norm(own) * lengths)

    found = total(one.bag.inverse[mine])
    full = np.array([not (one.is_bare or text.is_bare) for text in many])
    own_size, sizes = np.full(len(many), len(one.bag.ids)), np.array([len(bag.ids) for bag in bags])
    own_chance = np.broadcast_to(one.chance, (len(many), *one.chance.shape))
    return {
        "term_cosine": product(one.bag.weights, [bag.weights for bag in bags]),
        "term_title_cosine": product(one.bag.title_weights, [bag.title_weights for bag in bags]),
        f"term_{roles[0]}_surplus": _surplus(found, own_chance, sizes) * full,
        f"term_{roles[1]}_surplus": _surplus(found, np.array([text.chance for text in many]), own_size) * full,
    }


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


def _norm(values: Numbers) -> float:
    return float(np.sqrt(np.sum(values * values)))


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
