"""What held-out judgements are worth: ranking, levels, saying no, and whether chances are true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation import auc, mrr_at_k, ndcg_at_k, recall_at_k, spearman
from models.features import Numbers
from models.ordinal import LEVELS_ABOVE_NONE
from models.training.ranker_data import ANSWER, Pairs

# Of the demands of our market, were their answers taken out: to how many something would still be called so.
WRONGLY_WEAK, WRONGLY_STRONG = 0.2, 0.02
GRADES = 4
LEAST_STEP = 0.5  # between weak and strong, so that fair has some room
CHANCES = (0.25, 0.4, 0.55)  # that staff grade a pair fair or better, from where it is called weak, fair, strong

Levels = NDArray[np.int64]


def mean_of(values: Sequence[float | None]) -> float:
    """Return the mean of the values that are there."""
    return float(np.mean([value for value in values if value is not None]))


def ranking(sums: Numbers, pairs: Pairs, *, relevant: int) -> dict[str, float]:
    """Return the mean measures over demands, as `models.evaluation` does; grade `relevant` or more should be found."""
    found: dict[str, list[float | None]] = {}
    for demand in np.unique(pairs.demand).tolist():
        own = pairs.demand == demand
        grades, scores = pairs.grade[own], sums[own]
        hits = grades >= relevant
        order = np.argsort(-scores, kind="stable")
        ranked = hits[order].tolist()
        for name, value in (
            ("ndcg@10", ndcg_at_k((grades[order] + 1).tolist(), 10) if hits.any() else None),
            ("spearman", spearman(scores, grades)),
            ("auc", auc(scores, hits)),
            ("recall@1", recall_at_k(ranked, 1)),
            ("recall@10", recall_at_k(ranked, 10)),
            ("mrr@10", mrr_at_k(ranked, 10) if hits.any() else None),
        ):
            found.setdefault(name, []).append(value)
    return {name: mean_of(values) for name, values in found.items()}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a threshold of showing anything does to a market's demands."""

    threshold: float
    refused: float
    """Share of demands without an answer for which nothing is shown."""
    emptied: float
    """Share of all demands for which nothing would be shown if their answers were not there."""
    kept: float
    """Share of demands with an answer of which one is shown."""
    shown: float
    """Supplies shown for a demand with an answer, on average."""


def refusal(sums: Numbers, market: Pairs, threshold: float) -> Refusal:
    """Return what showing only pairs from a threshold on does."""
    shown, answers = sums >= threshold, market.grade >= ANSWER
    count = np.bincount(market.demand, weights=shown)
    right = np.bincount(market.demand, weights=shown & answers)
    answered = np.bincount(market.demand, weights=answers) > 0
    return Refusal(
        threshold,
        refused=float((count[~answered] == 0).mean()),
        emptied=float((count == right).mean()),
        kept=float((right[answered] > 0).mean()),
        shown=float(count[answered].mean()),
    )


def thresholds_of_chances(cuts: Numbers) -> tuple[float, float, float]:
    """Return from where z is called weak, fair and strong: where grade fair or better has the `CHANCES`."""
    weak, fair, strong = (float(cuts[ANSWER - 1] + np.log(chance / (1 - chance))) for chance in CHANCES)
    return weak, fair, strong


def choose_full_sums(sums: Numbers, market: Pairs) -> tuple[float, float]:
    """Return from where a pair of full texts is called weak and strong, by held-out sums over our market.

    Each is where the best supply that is no answer still reaches for so many demands: see the two constants.
    """
    best_wrong = np.full(int(market.demand.max()) + 1, -np.inf)
    wrong = market.grade < ANSWER
    np.maximum.at(best_wrong, market.demand[wrong], sums[wrong])
    weak, strong = (float(np.quantile(best_wrong, 1 - share)) for share in (WRONGLY_WEAK, WRONGLY_STRONG))
    return weak, max(weak + LEAST_STEP, strong)


def level_rows(sums: Numbers, pairs: Pairs, thresholds: Sequence[float]) -> list[list[str]]:
    """Return one row for each level, strong first: its pairs, and the share of each grade among them."""
    levels: Levels = np.searchsorted(thresholds, sums, side="right")
    rows = []
    for level in reversed(range(len(LEVELS_ABOVE_NONE) + 1)):
        own = pairs.grade[levels == level]
        shares = [f"{np.mean(own == grade):.3f}" if len(own) else "" for grade in range(GRADES)]
        rows.append([("none", *LEVELS_ABOVE_NONE)[level], str(len(own)), *shares])
    return rows


def reliability(chances: Numbers, hits: NDArray[np.bool_], *, bins: int = 8) -> tuple[list[list[str]], float]:
    """Return rows (pairs, mean chance, observed share) over bins of as many pairs each, and the calibration error.

    The error is the mean distance of chance and share over bins, weighted by their pairs.
    """
    rows, error = [], 0.0
    for part in np.array_split(np.argsort(chances, kind="stable"), bins):
        chance, share = float(chances[part].mean()), float(hits[part].mean())
        rows.append([str(len(part)), f"{chance:.3f}", f"{share:.3f}"])
        error += abs(chance - share) * len(part) / len(chances)
    return rows, error


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
