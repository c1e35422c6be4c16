"""Fit the ranker: one weighted sum of features under two likelihoods, signs enforced, by L-BFGS-B."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.features import FEATURES, Numbers
from models.ordinal import standardised
from models.training.ranker_data import Pairs

LEVELS = 3  # above none
SMALLEST = 1e-12  # likelihood; keeps the logarithm finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """How much each part of the objective counts, beside 1 for the graded pairs."""

    market: float = 1.0
    """The more, the better demands without an answer are told apart; beyond 1 the order within grades suffers."""
    ridge: float = 2.0
    """High enough that features which agree share their weight; chosen by the held-out numbers that the card shows."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A weighted sum of standardised features, and where it is cut."""

    means: Numbers
    scales: Numbers
    coefficients: Numbers
    cuts: Numbers
    """(3,), ascending: even odds of grade 1, 2 and 3 or more among graded pairs."""

    def sums(self, features: Numbers) -> Numbers:
        """Return z (n,) for features (n, f)."""
        sums: Numbers = standardised(features, self.means, self.scales) @ self.coefficients
        return sums


def fit(graded: Pairs, market: Pairs, strengths: Strengths) -> Fit:
    """Return the fit that minimises the mean negative log-likelihood of both sets, each demand counting alike.

    Graded pairs follow proportional odds. A pair of our market is an expected answer or not, with an intercept of its
    own, all answers together counting as `strengths.market`, since there every demand meets every supply.
    No feature may count against a pair.
    """
    sets = (graded.features, market.features)
    means = sum(one.mean(axis=0) for one in sets) / len(sets)
    scales = np.sqrt(sum(((one - means) ** 2).mean(axis=0) for one in sets) / len(sets)) + 1e-9
    graded_features, market_features = (standardised(one, means, scales) for one in sets)
    objective = _Objective(graded_features, graded, market_features, market, strengths)
    bounds = [(0.0, None)] * len(FEATURES) + [(None, None)] * (LEVELS + 1)
    start = np.array([0.1] * len(FEATURES) + [0.0, 1.0, 1.0, 4.0])
    found = _minimised(objective, start, bounds)
    split = len(FEATURES)
    return Fit(means, scales, found[:split], _cuts(found[split : split + LEVELS]))


def calibrated(found: Fit, held_out: Numbers, graded: Pairs) -> tuple[Fit, float]:
    """Return the fit with its sums stretched and its cuts moved so that chances are true of graded pairs, and by what.

    `held_out` (n,) are sums by fits that saw no pair of the same demand; the order of pairs stays.
    """

    def objective(parameters: Numbers) -> tuple[float, Numbers]:
        stretch, gaps = np.exp(parameters[0]), np.exp(parameters[2:])
        loss, by_sum, by_cut = _ordinal(held_out * stretch, _cuts(parameters[1:]), graded)
        by_stretch = float(by_sum @ held_out) * stretch
        return loss, np.array([by_stretch, *_by_parameters(by_cut, gaps)])

    parameters = _minimised(objective, np.zeros(1 + LEVELS), [(None, None)] * (1 + LEVELS))
    stretch = float(np.exp(parameters[0]))
    return Fit(found.means, found.scales, found.coefficients * stretch, _cuts(parameters[1:])), stretch


def _minimised(
    objective: Callable[[Numbers], tuple[float, Numbers]],
    start: Numbers,
    bounds: Sequence[tuple[float | None, float | None]],
) -> Numbers:
    found = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 2000})
    if not found.success:
        raise RuntimeError(f"the fit did not converge: {found.message}")
    values: Numbers = found.x
    return values


def _cuts(parameters: Numbers) -> Numbers:
    """Return ascending cuts: the first, and the logarithms of the gaps."""
    return np.cumsum(np.concatenate([parameters[:1], np.exp(parameters[1:])]))


def _by_parameters(by_cut: Numbers, gaps: Numbers) -> list[float]:
    """Return the gradient in what `_cuts` takes."""
    return [by_cut.sum(), by_cut[1:].sum() * gaps[0], by_cut[2] * gaps[1]]


@dataclass(frozen=True, slots=True)
class _Objective:
    """Value and gradient in (coefficients, first cut, two logarithms of gaps, intercept of the market)."""

    graded_features: Numbers
    graded: Pairs
    market_features: Numbers
    market: Pairs
    strengths: Strengths

    def __call__(self, parameters: Numbers) -> tuple[float, Numbers]:
        split = len(FEATURES)
        coefficients, cut_parameters, intercept = parameters[:split], parameters[split:-1], parameters[-1]
        gradient = np.zeros_like(parameters)
        loss, by_sum, by_cut = _ordinal(self.graded_features @ coefficients, _cuts(cut_parameters), self.graded)
        gradient[:split] = self.graded_features.T @ by_sum + self.strengths.ridge * coefficients
        gradient[split:-1] = _by_parameters(by_cut, np.exp(cut_parameters[1:]))
        market_loss, market_by_sum = self._binary(self.market_features @ coefficients - intercept)
        gradient[:split] += self.market_features.T @ market_by_sum
        gradient[-1] = -market_by_sum.sum()
        return loss + market_loss + self.strengths.ridge / 2 * float(coefficients @ coefficients), gradient

    def _binary(self, sums: Numbers) -> tuple[float, Numbers]:
        expected = self.market.grade > 0
        weight = self.strengths.market / max(int(expected.sum()), 1)
        chance = sigmoid(sums)
        likelihood = np.maximum(np.where(expected, chance, 1 - chance), SMALLEST)
        return -weight * float(np.log(likelihood).sum()), weight * (chance - expected)


def _ordinal(sums: Numbers, cuts: Numbers, graded: Pairs) -> tuple[float, Numbers, Numbers]:
    """Return the mean over demands of the negative log-likelihood, and its gradients in sums (n,) and cuts (3,)."""
    grade, rows = graded.grade, np.arange(len(sums))
    weight = 1 / np.bincount(graded.demand)[graded.demand] / len(np.unique(graded.demand))
    above = sigmoid(sums[:, None] - cuts)
    edge = np.zeros((len(sums), 1))
    reached = np.concatenate([edge + 1, above, edge], axis=1)
    slope = np.concatenate([edge, above * (1 - above), edge], axis=1)
    likelihood = np.maximum(reached[rows, grade] - reached[rows, grade + 1], SMALLEST)
    lower, upper = weight * slope[rows, grade] / likelihood, weight * slope[rows, grade + 1] / likelihood
    by_cut = [float(lower[grade == level + 1].sum() - upper[grade == level].sum()) for level in range(LEVELS)]
    return -float(weight @ np.log(likelihood)), upper - lower, np.array(by_cut)


def sigmoid(values: Numbers) -> Numbers:
    """Return 1 / (1 + exp(-x))."""
    result: Numbers = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    return result


def held_out_sums(
    graded: Pairs, market: Pairs, strengths: Strengths, *, folds: int, seed: int
) -> tuple[Numbers, Numbers]:
    """Return z of every graded and every market pair by fits that saw no pair of its demand."""
    random = np.random.default_rng(seed)
    parts = [random.permutation(pairs.demands) % folds for pairs in (graded, market)]
    sums = [np.zeros(len(graded.demand)), np.zeros(len(market.demand))]
    for fold in range(folds):
        kept = [pairs.of(np.flatnonzero(part != fold)) for pairs, part in zip((graded, market), parts, strict=True)]
        found = fit(kept[0], kept[1], strengths)
        for pairs, part, out in zip((graded, market), parts, sums, strict=True):
            held: NDArray[np.bool_] = part[pairs.demand] == fold
            out[held] = found.sums(pairs.features[held])
    return sums[0], sums[1]
