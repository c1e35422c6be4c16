"""Proportional odds: one weighted sum of features, cut into ordered levels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
LEVELS_ABOVE_NONE = ("weak", "fair", "strong")
MOST_DEVIATIONS = 30.0  # a feature counts no more beyond; a pair of copies lies there, and says nothing new

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalModel:
    """The fitted ranker: P(level >= k) = 1 / (1 + exp(cut_k - z)), z = sum of coefficient * standardised feature.

    Source: McCullagh, "Regression models for ordinal data", JRSS B 1980.
    """

    features: tuple[str, ...]
    means: Numbers
    """(f,) float64, like `scales` and `coefficients`."""
    scales: Numbers
    coefficients: Numbers
    cuts: tuple[float, float, float]
    """Ascending, for weak, fair and strong: where the odds of that level or a better one are even."""
    thresholds: tuple[float, float, float]
    """Ascending, on z: from where a pair is called weak, fair and strong."""
    full_sums: tuple[float, float]
    """Ascending: the weighted sums of a pair of two full texts that are worth the thresholds of weak and of strong."""
    encoder: str
    """Name of the encoder whose cosines it was fitted to."""
    background: Mapping[str, tuple[float, float]]
    """Mean and standard deviation of each cosine between unrelated texts under that encoder."""

    def __post_init__(self) -> None:
        count = len(self.features)
        arrays = (self.means, self.scales, self.coefficients)
        if any(array.shape != (count,) or not np.isfinite(array).all() for array in arrays):
            raise ValueError(f"means, scales and coefficients must be {count} finite numbers each")
        if not (self.scales > 0).all():
            raise ValueError("scales must be above 0")
        for name, values in (("cuts", self.cuts), ("thresholds", self.thresholds), ("full_sums", self.full_sums)):
            if not all(low < high for low, high in pairwise(values)):
                raise ValueError(f"{name} must ascend: {values}")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model written by the training.

        Raises: ValueError naming the file if it is none, or of another format.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                features=_features(content),
                **{name: np.array(content[name], np.float64) for name in ("means", "scales", "coefficients")},
                cuts=_three(content["cuts"]),
                thresholds=_three(content["thresholds"]),
                full_sums=(float(content["full_sums"]["weak"]), float(content["full_sums"]["strong"])),
                encoder=content["encoder"],
                background={name: (mean, deviation) for name, (mean, deviation) in content["background"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: is no ranker ({error})") from error

    def as_dict(self) -> dict[str, Any]:
        """Return what `load` reads, to be written as JSON."""
        return {
            "format": FORMAT,
            "encoder": self.encoder,
            "features": list(self.features),
            **{name: getattr(self, name).tolist() for name in ("means", "scales", "coefficients")},
            "cuts": dict(zip(LEVELS_ABOVE_NONE, self.cuts, strict=True)),
            "thresholds": dict(zip(LEVELS_ABOVE_NONE, self.thresholds, strict=True)),
            "full_sums": {"weak": self.full_sums[0], "strong": self.full_sums[1]},
            "background": {name: list(moments) for name, moments in self.background.items()},
        }

    @property
    def worth(self) -> tuple[float, float]:
        """Return what the two `full_sums` are worth on z."""
        return self.thresholds[0], self.thresholds[-1]

    def sums(self, features: Numbers, are_bare: NDArray[np.bool_]) -> Numbers:
        """Return z (n,) for features (n, f); `are_bare` (n,) says where one of the two texts is a bare title.

        Bare titles give other sums than full texts, since some features do not apply to them. Their sums are z; those
        of full texts are mapped onto it by the straight line that makes weak and strong begin at the same z.
        """
        # Not a matrix product: its rounding depends on how many rows there are.
        sums: Numbers = np.sum(standardised(features, self.means, self.scales) * self.coefficients, axis=1)
        return np.where(are_bare, sums, through(sums, self.full_sums, self.worth))

    def chances(self, sums: Numbers) -> Numbers:
        """Return P(level >= k) (n, 3) of z (n,), for weak, fair and strong."""
        chances: Numbers = 1 / (1 + np.exp(np.clip(np.array(self.cuts) - sums[:, None], -500, 500)))
        return chances

    def scores(self, sums: Numbers) -> Numbers:
        """Return the expected level (n,) of z (n,), 0 for surely none to 1 for surely strong; strictly monotone."""
        scores: Numbers = self.chances(sums).mean(axis=1)
        return scores

    def levels(self, sums: Numbers) -> NDArray[np.int64]:
        """Return 0 (none) to 3 (strong) (n,) of z (n,)."""
        return np.searchsorted(self.thresholds, sums, side="right")


def through(values: Numbers, places: tuple[float, float], worth: tuple[float, float]) -> Numbers:
    """Return the ordinates (n,) of the straight line that has a worth at each of two places."""
    return worth[0] + (values - places[0]) * (worth[1] - worth[0]) / (places[1] - places[0])


def standardised(features: Numbers, means: Numbers, scales: Numbers) -> Numbers:
    """Return (n, f) features as deviations from their means (f,) in scales (f,), no further than `MOST_DEVIATIONS`."""
    return np.clip((features - means) / scales, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def _features(content: Mapping[str, Any]) -> tuple[str, ...]:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']}, expected {FORMAT}")
    return tuple(content["features"])


def _three(values: Mapping[str, float]) -> tuple[float, float, float]:
    weak, fair, strong = (float(values[name]) for name in LEVELS_ABOVE_NONE)
    return weak, fair, strong
