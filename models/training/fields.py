"""Learn what the signs of a text say of its priority fields, from the pairs and the thesaurus written by hand.

    python -m models.training.fields

Takes seconds on one core. `jiqiao evaluate fields --write` then fits how these scores and the terms of the fields are
combined, and measures both by cross-validation.
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from models.fields import SHIPPED, SIGNS, Numbers, field_signs, read_other_trades
from models.text import normalise

KNOWLEDGE = Path(__file__).parent / "knowledge"
FIELDS = ("computing", "communications", "vehicles", "brain", "biopharma", "tcm")
LEAST_TEXTS = 2  # that have a sign; one of a single text says nothing of its field
THESAURUS_WEIGHT = 0.3  # of a line of the thesaurus, beside 1 for a text of a pair
OTHER_WEIGHT = 5.0  # of a listing of another trade: there are few of them, and they stand for many
RIDGE = 1.0
SMALL = 0.05  # weights below are left out, with their signs where all are


def read_texts() -> tuple[list[str], list[str], list[float]]:
    """Return texts in normal form, the field of each, and how much each counts; other industries are fields of none."""
    texts, fields, counts = [], [], []
    for path in sorted((KNOWLEDGE / "pairs").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            pair = json.loads(line)
            for side in ("demand", "supply"):
                texts.append(f"{pair[side + '_title']}\n{pair[side]}")
                fields.append(path.stem)
                counts.append(1.0)
    for path in sorted((KNOWLEDGE / "thesaurus").glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            columns = line.split("\t")
            if line.startswith("#") or len(columns) == 1:
                continue
            texts.append(" ".join(column.replace("|", " ") for column in columns[1:]))
            fields.append(path.stem)
            counts.append(THESAURUS_WEIGHT)
    for text in read_other_trades():
        texts.append(text)
        fields.append("")
        counts.append(OTHER_WEIGHT)
    return [normalise(text) for text in texts], fields, counts


def rarities(texts: Sequence[Counter[str]]) -> dict[str, float]:
    """Return ln((1 + n) / (1 + d)) + 1 of every sign that d of n texts have, without those of too few."""
    having = Counter(sign for text in texts for sign in text)
    return {
        sign: float(np.log((1 + len(texts)) / (1 + times)) + 1)
        for sign, times in sorted(having.items())
        if times >= LEAST_TEXTS
    }


def matrix(texts: Sequence[Counter[str]], rarity: dict[str, float]) -> csr_matrix:
    """Return the weighted signs of texts (n, s), rows of unit length."""
    places = {sign: place for place, sign in enumerate(rarity)}
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        found = {places[sign]: (1 + np.log(times)) * rarity[sign] for sign, times in text.items() if sign in places}
        length = float(np.sqrt(sum(value * value for value in found.values()))) or 1.0
        rows += [row] * len(found)
        columns += list(found)
        values += [value / length for value in found.values()]
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(places)))


def fit(signs: csr_matrix, expected: Numbers, counts: Numbers) -> tuple[Numbers, float]:
    """Return weights (s,) and intercept of a ridge-penalised logistic regression."""
    sign = np.where(expected > 0, 1.0, -1.0)

    def objective(parameters: Numbers) -> tuple[float, Numbers]:
        margins = sign * (signs @ parameters[:-1] + parameters[-1])
        loss = counts @ np.logaddexp(0, -margins) + RIDGE / 2 * parameters[:-1] @ parameters[:-1]
        slope = -counts * sign / (1 + np.exp(np.clip(margins, -500, 500)))
        return float(loss), np.append(signs.T @ slope + RIDGE * parameters[:-1], slope.sum())

    found = minimize(objective, np.zeros(signs.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    if not found.success:
        raise RuntimeError(f"the fit did not converge: {found.message}")
    return found.x[:-1], float(found.x[-1])


def main() -> None:
    """Write the table of signs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    texts, fields, counts = read_texts()
    bags = [Counter(field_signs(text)) for text in texts]
    rarity = rarities(bags)
    rows = matrix(bags, rarity)
    fits = [fit(rows, np.array([one == field for one in fields], np.float64), np.array(counts)) for field in FIELDS]
    weights = np.stack([found for found, _ in fits], axis=1)
    kept = np.abs(weights).max(axis=1) >= SMALL
    arguments.output.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(FIELDS), "\t".join(f"{intercept:.4f}" for _, intercept in fits)]
    lines += [
        "\t".join([sign, f"{rarity[sign]:.3f}", *(f"{value:.2f}" for value in row)])
        for sign, row, is_kept in zip(rarity, weights.tolist(), kept.tolist(), strict=True)
        if is_kept
    ]
    # Without the time of writing, so that the same texts give the same bytes.
    content = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
    (arguments.output / SIGNS).write_bytes(content)
    print(f"{len(texts)} texts, {int(kept.sum())} signs, {len(content):,} bytes")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
