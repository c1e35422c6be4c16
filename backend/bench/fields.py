"""How well priority fields are suggested, on listings whose combination of evidence was fitted without them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.bench.texts import MeasuredListing, whole
from backend.policy.catalogue import Catalogue
from backend.policy.service import evidence_of, field_features, shipped_model, suggest_by_terms, suggested
from models.fields import COMBINATION, SHIPPED, SIGNS, Combination, SignScores, read_other_trades
from models.text import normalise

FOLDS = 5
REPEATS = 3

Labels = NDArray[np.bool_]


@dataclass(frozen=True)
class FieldReport:
    """F1 of every field and their mean, cross-validated; beside it the terms of the fields alone."""

    seed: int
    listings: int
    folds: int
    repeats: int
    macro_f1: float
    """The mean over the repeats."""
    f1: dict[str, float]
    macro_f1_terms_alone: float
    exactly_right_share: float
    empty_share: float
    """Of the listings of the market, all of which have a field."""


@dataclass(frozen=True)
class _Market:
    fields: tuple[str, ...]
    features: NDArray[np.float64]
    labels: Labels
    evidence: Sequence[Mapping[str, Mapping[str, float]]]
    by_terms: Labels
    others: NDArray[np.float64]
    """Features of listings of other trades, which every fit sees as belonging to no field; none of them is measured."""

    def fit(self, rows: Labels) -> Combination:
        """Fit the combination to some of the listings and to those of other trades."""
        nothing = np.zeros((len(self.others), len(self.fields)), np.bool_)
        features = np.concatenate([self.features[rows], self.others])
        return Combination.fit(features, np.concatenate([self.labels[rows], nothing]))


def measure_fields(listings: Sequence[MeasuredListing], *, seed: int, catalogue: Catalogue) -> FieldReport:
    """Cross-validate by listing: the signs were learned elsewhere, the combination from the other folds."""
    market = _read(listings, catalogue, shipped_model().signs)
    runs = [_held_out(market, np.random.default_rng(seed + repeat)) for repeat in range(REPEATS)]
    scores = np.mean([f1(run, market.labels) for run in runs], axis=0)
    return FieldReport(
        seed=seed,
        listings=len(listings),
        folds=FOLDS,
        repeats=REPEATS,
        macro_f1=float(scores.mean()),
        f1=dict(zip(market.fields, scores.tolist(), strict=True)),
        macro_f1_terms_alone=float(f1(market.by_terms, market.labels).mean()),
        exactly_right_share=float(np.mean([(run == market.labels).all(axis=1).mean() for run in runs])),
        empty_share=float(np.mean([(~run.any(axis=1)).mean() for run in runs])),
    )


def write_combination(listings: Sequence[MeasuredListing], *, catalogue: Catalogue, folder: Path = SHIPPED) -> Path:
    """Fit the combination to all listings and write it as the one that is shipped."""
    market = _read(listings, catalogue, SignScores.load(folder / SIGNS))
    path = folder / COMBINATION
    text = json.dumps(market.fit(np.ones(len(market.labels), np.bool_)).as_dict(), indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def f1(found: Labels, expected: Labels) -> NDArray[np.float64]:
    """Return F1 (f,) of every field; 1 for a field that nothing has and nothing got."""
    hits, total = (found & expected).sum(axis=0), found.sum(axis=0) + expected.sum(axis=0)
    scores: NDArray[np.float64] = np.divide(2.0 * hits, total, out=np.ones(len(hits)), where=total > 0)
    return scores


def _read(listings: Sequence[MeasuredListing], catalogue: Catalogue, learned: SignScores) -> _Market:
    texts = [normalise(whole(entry.text)) for entry in listings]

    def as_labels(chosen: Sequence[Sequence[str]]) -> Labels:
        return np.array([[field in one for field in learned.fields] for one in chosen], np.bool_)

    return _Market(
        learned.fields,
        np.stack([field_features(text, catalogue, learned) for text in texts]),
        as_labels([entry.fields for entry in listings]),
        [evidence_of(text, catalogue) for text in texts],
        as_labels([suggest_by_terms(text, catalogue) for text in texts]),
        np.stack([field_features(normalise(text), catalogue, learned) for text in read_other_trades()]),
    )


def _held_out(market: _Market, chance: np.random.Generator) -> Labels:
    fold = chance.permutation(len(market.labels)) % FOLDS
    found = np.zeros_like(market.labels)
    for number in range(FOLDS):
        held = fold == number
        chances = market.fit(~held).chances(market.features[held])
        for place, row in zip(np.flatnonzero(held).tolist(), chances.tolist(), strict=True):
            chosen = suggested(dict(zip(market.fields, row, strict=True)), market.evidence[place])
            found[place] = [field in chosen for field in market.fields]
    return found
