"""To which priority fields a text belongs: learned from texts of known fields, and combined with the terms it names."""

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.term_table import signs
from models.text import words

FORMAT = 1
SHIPPED = Path(__file__).parent / "weights" / "fields"
"""The model that comes with the project."""

OTHER_TRADES = Path(__file__).parent / "data" / "other_trades.txt"
SIGNS, COMBINATION = "signs.tsv.gz", "combination.json"
RIDGE = 1 / 3.0  # of the combination, on everything but its intercept
LEAST_SIGNS = 4  # distinct ones; a word or two, however often said, name no field
STEPS = 30  # of Newton's method, which has converged by then

Numbers = NDArray[np.float64]


def field_signs(normal: str) -> list[str]:
    """Return the signs by which fields are told: pairs of Han characters and words of other scripts."""
    return [sign for sign in signs(normal.lower()) if len(sign) > 1]


@dataclass(frozen=True)
class SignScores:
    """A linear score for each field over the weighted signs of a text; signs that are not listed say nothing."""

    fields: tuple[str, ...]
    intercepts: Numbers
    """(f,) float64."""
    places: Mapping[str, int]
    weights: Numbers
    """(s, f) float64, already times the rarity of the sign."""
    rarity: Numbers
    """(s,) float64, by which a text's signs are weighed before it is brought to unit length."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a gzipped file: fields, intercepts, then a sign with its rarity and its weights on each line.

        Raises: ValueError naming the file if it is none.
        """
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                fields = tuple(next(lines).rstrip("\n").split("\t"))
                intercepts = np.array(next(lines).split("\t"), np.float64)
                rows = [line.rstrip("\n").split("\t") for line in lines]
            numbers = np.array([row[1:] for row in rows], np.float64).reshape(len(rows), 1 + len(fields))
        except (OSError, StopIteration, ValueError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: is no table of signs of fields ({error!r})") from error
        places = {row[0]: place for place, row in enumerate(rows)}
        return cls(fields, intercepts, places, numbers[:, 1:], numbers[:, 0])

    def telling(self, normal: str, field: str, *, limit: int) -> tuple[str, ...]:
        """Return the words of a text in normal form that speak most for a field, the weightiest first."""
        column = self.weights[:, self.fields.index(field)]
        weight = {
            word: sum(float(column[self.places[sign]]) for sign in field_signs(word) if sign in self.places)
            for word in dict.fromkeys(words(normal))
            if len(word) > 1
        }
        ranked = sorted((word for word in weight if weight[word] > 0), key=lambda word: (-weight[word], word))
        return tuple(ranked[:limit])

    def scores(self, normal: str) -> Numbers:
        """Return the logarithms of the odds of each field (f,) of a text in normal form."""
        counts = Counter(sign for sign in field_signs(normal) if sign in self.places)
        if len(counts) < LEAST_SIGNS:
            return self.intercepts.copy()
        rows = np.array([self.places[sign] for sign in counts])
        weights = (1 + np.log(np.array(list(counts.values()), np.float64))) * self.rarity[rows]
        scores: Numbers = self.intercepts + (weights / math.sqrt(float(weights @ weights))) @ self.weights[rows]
        return scores


@dataclass(frozen=True)
class Combination:
    """The odds of each field from the scores of all of them and from the evidence of the terms that a text names."""

    means: Numbers
    """(2 f,) float64, like `scales`."""
    scales: Numbers
    coefficients: Numbers
    """(2 f + 1, f) float64, the intercepts last."""

    def chances(self, features: Numbers) -> Numbers:
        """Return (n, f) chances of features (n, 2 f)."""
        rows = np.hstack([(features - self.means) / self.scales, np.ones((len(features), 1))])
        chances: Numbers = _sigmoid(rows @ self.coefficients)
        return chances

    @classmethod
    def fit(cls, features: Numbers, labels: NDArray[np.bool_]) -> Self:
        """Fit a ridge-penalised logistic regression for each field; features (n, 2 f), labels (n, f)."""
        means, scales = features.mean(axis=0), features.std(axis=0) + 1e-9
        rows = np.hstack([(features - means) / scales, np.ones((len(features), 1))])
        return cls(means, scales, np.stack([_logistic(rows, column) for column in labels.T.astype(np.float64)], axis=1))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `as_dict` gave, as JSON.

        Raises: ValueError naming the file if it is none, or of another format.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            names = _parts(content)
            return cls(*(np.array(content[name], np.float64) for name in names))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: is no combination of fields ({error})") from error

    def as_dict(self) -> dict[str, Any]:
        """Return what `load` reads."""
        parts = {name: np.round(getattr(self, name), 5).tolist() for name in ("means", "scales", "coefficients")}
        return {"format": FORMAT, **parts}


def read_other_trades() -> list[str]:
    """Return listings of trades outside the priority fields, which are to be suggested none."""
    lines = OTHER_TRADES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def features_of(scores: Numbers, evidence: Sequence[float]) -> Numbers:
    """Return the features (2 f,) of one text: its scores (f,), and the evidence of its terms in the same order."""
    return np.concatenate([scores, np.log1p(np.array(evidence, np.float64))])


def _parts(content: Mapping[str, Any]) -> tuple[str, ...]:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}, expected {FORMAT}")
    return "means", "scales", "coefficients"


def _logistic(rows: Numbers, expected: Numbers) -> Numbers:
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[-1] = 1e-6
    found = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = _sigmoid(rows @ found)
        slope = rows.T @ (chance - expected) + penalty * found
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        found = found - np.linalg.solve(curve, slope)
    return found


def _sigmoid(values: Numbers) -> Numbers:
    result: Numbers = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    return result
