"""Fit the ranker: one weighted sum of features under two likelihoods, signs enforced, by L-BFGS-B."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.evaluation import gain
from models.features import FEATURES, Numbers
from models.ordinal import standardised
from models.training.ranker_data import ANSWER, Pairs

LEVELS = 3  # above none
SMALLEST = 1e-12  # likelihood; keeps the logarithm finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """How much each part of the objective counts, beside 1 for the graded pairs; why these: LOG.md."""

    market: float = 1.0
    ridge: float = 0.05
    most: Mapping[str, float] = field(default_factory=lambda: {"term_demand_surplus": 0.15})
    """Upper bounds of coefficients. What the surplus is worth on our own market it is not worth on real listings."""


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

    Graded pairs follow proportional odds. In our market, where every demand meets every supply, the answers of a demand
    are drawn from all supplies with chances in proportion to exp(z), each as often as its gain says; a demand without
    an answer says nothing there. No feature may count against a pair.
    Source of the latter: Cao et al., "Learning to rank: from pairwise approach to listwise approach", ICML 2007.
    """
    sets = (graded.features, market.features)
    means = sum(one.mean(axis=0) for one in sets) / len(sets)
    scales = np.sqrt(sum(((one - means) ** 2).mean(axis=0) for one in sets) / len(sets)) + 1e-9
    graded_features, market_features = (standardised(one, means, scales) for one in sets)
    objective = _Objective(graded_features, graded, market_features, market, strengths)
    bounds = [(0.0, strengths.most.get(name)) for name in FEATURES] + [(None, None)] * LEVELS
    found = _minimised(objective, np.array([0.1] * len(FEATURES) + [0.0, 1.0, 1.0]), bounds)
    split = len(FEATURES)
    return Fit(means, scales, found[:split], _cuts(found[split:]))


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
    """Value and gradient in (coefficients, first cut, two logarithms of gaps)."""

    graded_features: Numbers
    graded: Pairs
    market_features: Numbers
    market: Pairs
    strengths: Strengths

    def __call__(self, parameters: Numbers) -> tuple[float, Numbers]:
        split = len(FEATURES)
        coefficients, cut_parameters = parameters[:split], parameters[split:]
        gradient = np.zeros_like(parameters)
        loss, by_sum, by_cut = _ordinal(self.graded_features @ coefficients, _cuts(cut_parameters), self.graded)
        gradient[:split] = self.graded_features.T @ by_sum + self.strengths.ridge * coefficients
        gradient[split:] = _by_parameters(by_cut, np.exp(cut_parameters[1:]))
        market_loss, market_by_sum = _listwise(self.market_features @ coefficients, self.market)
        gradient[:split] += self.strengths.market * self.market_features.T @ market_by_sum
        loss += self.strengths.market * market_loss
        return loss + self.strengths.ridge / 2 * float(coefficients @ coefficients), gradient


def _listwise(sums: Numbers, market: Pairs) -> tuple[float, Numbers]:
    """Return the mean cross entropy of gains and chances over answered demands, and its gradient in sums (n,)."""
    _, demand = np.unique(market.demand, return_inverse=True)
    highest = np.full(demand.max() + 1, -np.inf)
    np.maximum.at(highest, demand, sums)
    odds = np.exp(sums - highest[demand])
    totals = np.bincount(demand, weights=odds)
    gains = np.where(market.grade >= ANSWER, gain(market.grade + 1), 0)
    gained = np.bincount(demand, weights=gains)
    share = gains / np.maximum(gained, 1)[demand]
    weight = (gained > 0)[demand] / max(int((gained > 0).sum()), 1)
    logarithms = sums - highest[demand] - np.log(totals)[demand]
    return -float(np.sum(weight * share * logarithms)), weight * (odds / totals[demand] - share)


def _ordinal(sums: Numbers, cuts: Numbers, graded: Pairs) -> tuple[float, Numbers, Numbers]:
    """Return the mean over demands of the negative log-likelihood, and its gradients in sums (n,) and cuts (3,)."""
    grade, rows = graded.grade, np.arange(len(sums))
    weight = 1 / np.bincount(graded.demand)[graded.demand] / len(np.unique(graded.demand))
    above = 1 / (1 + np.exp(-np.clip(sums[:, None] - cuts, -500, 500)))
    edge = np.zeros((len(sums), 1))
    reached = np.concatenate([edge + 1, above, edge], axis=1)
    slope = np.concatenate([edge, above * (1 - above), edge], axis=1)
    likelihood = np.maximum(reached[rows, grade] - reached[rows, grade + 1], SMALLEST)
    lower, upper = weight * slope[rows, grade] / likelihood, weight * slope[rows, grade + 1] / likelihood
    by_cut = [float(lower[grade == level + 1].sum() - upper[grade == level].sum()) for level in range(LEVELS)]
    return -float(weight @ np.log(likelihood)), upper - lower, np.array(by_cut)


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
