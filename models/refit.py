"""Move the ranker a little towards what people said of the pairs they were shown."""

import errno
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.evaluation import auc
from models.ordinal import Numbers, OrdinalModel, standardised

FOLDS = 5
LEAST_OF_EACH = 20  # pairs that fit and pairs that do not; from fewer nothing can be learned
LEAST_DEMANDS = 2  # one to learn from, and another to measure on
ANCHOR = 20.0  # how many pairs' worth of evidence the coefficients as they are count for
STEPS = 400
SMALLEST = 1e-9


@dataclass(frozen=True)
class Interactions:
    """The features of n pairs, all of full texts, whether each was said to fit, and the number of its demand."""

    features: Numbers
    """(n, f) float64."""
    fits: NDArray[np.bool_]
    demand: NDArray[np.int64]


@dataclass(frozen=True)
class Quality:
    """How well scores tell the pairs that fit from the others."""

    auc: float | None
    log_loss: float


def refit(model: OrdinalModel, seen: Interactions) -> OrdinalModel:
    """Return the model with its coefficients moved by penalised likelihood, none below 0; levels stay where they are.

    The sum of the coefficients stays, so that thresholds keep their meaning: what changes is which features count more.
    """
    rows = standardised(seen.features, model.means, model.scales)
    found = _coefficients(rows, seen.fits.astype(np.float64), model)
    return replace(model, coefficients=found)


def held_out(model: OrdinalModel, seen: Interactions, *, seed: int) -> tuple[Quality, Quality]:
    """Return the quality of the model as it is, and of refits that saw no pair of the same demand."""
    fold = np.random.default_rng(seed).permutation(int(seen.demand.max()) + 1)[seen.demand] % FOLDS
    full = np.zeros(len(seen.fits), np.bool_)
    before, after = model.sums(seen.features, full), np.zeros(len(seen.fits))
    for number in range(FOLDS):
        held = fold == number
        kept = Interactions(seen.features[~held], seen.fits[~held], seen.demand[~held])
        if held.any():
            after[held] = refit(model, kept).sums(seen.features[held], full[held])
    return _quality(before, seen), _quality(after, seen)


def write_refitted(present: Path, folder: Path, model: OrdinalModel, *, card: str) -> None:
    """Write a new ranker's folder: the model and its card, with the terms and texts of the one it was made from.

    Raises: OSError if the folder is there already, or cannot be written.
    """
    if folder.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    for name in ("terms.tsv.gz", "background.json"):
        shutil.copyfile(present / name, unfinished / name)
    weights = json.dumps(model.as_dict(), ensure_ascii=False, indent=1)
    (unfinished / "weights.json").write_text(weights + "\n", encoding="utf-8")
    (unfinished / "README.md").write_text(card, encoding="utf-8")
    unfinished.rename(folder)


def _coefficients(rows: Numbers, fits: Numbers, model: OrdinalModel) -> Numbers:
    """Minimise the negative log-likelihood plus the anchor, by projected gradient steps."""
    start, total = model.coefficients, model.coefficients.sum()
    even = _even(rows @ start, fits)
    step = 1.0 / (ANCHOR + 0.25 * float(np.sum(rows * rows)))
    found = start.copy()
    for _ in range(STEPS):
        chance = _sigmoid(rows @ found - even)
        slope = rows.T @ (chance - fits) + ANCHOR * (found - start)
        found = np.maximum(found - step * slope, 0)
    moved: Numbers = found * (total / max(float(found.sum()), SMALLEST))
    return moved


def _even(sums: Numbers, fits: Numbers) -> float:
    """Return the sum at which as many pairs would be expected to fit as did."""
    low, high = float(sums.min()) - 30, float(sums.max()) + 30
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(sums - middle).sum() > fits.sum() else (low, middle)
    return (low + high) / 2


def _quality(sums: Numbers, seen: Interactions) -> Quality:
    fits = seen.fits.astype(np.float64)
    chance = np.clip(_sigmoid(sums - _even(sums, fits)), SMALLEST, 1 - SMALLEST)
    return Quality(auc(sums, seen.fits), -float(np.mean(fits * np.log(chance) + (1 - fits) * np.log(1 - chance))))


def _sigmoid(values: Numbers) -> Numbers:
    result: Numbers = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    return result
