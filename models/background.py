"""Make cosines of any encoder comparable: by how unrelated texts of our own compare under it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.encoder import Encoder
from models.features import FEATURES, VECTOR_FEATURES, Numbers, PairText, pair_features, prepare
from models.ordinal import OrdinalModel
from models.term_table import TermTable

LEAST_DEVIATION = 1e-3  # of an encoder's cosines between unrelated texts; less means that it tells nothing apart


def matched_background(model: OrdinalModel, path: Path, table: TermTable, encoder: Encoder) -> OrdinalModel:
    """Return the model with its means and scales moved so that it reads the cosines of another encoder.

    A cosine counts by how many standard deviations it lies above that of unrelated texts, which is what stays alike
    between encoders; the levels are then less exact than with the encoder that the model was fitted to.
    Raises: ValueError naming the file if it holds no texts.
    """
    found = background(read_background(path), table, encoder)
    means, scales = model.means.copy(), model.scales.copy()
    for name, (mean, deviation) in found.items():
        column, (fitted_mean, fitted_deviation) = FEATURES.index(name), model.background[name]
        stretch = max(deviation, LEAST_DEVIATION) / fitted_deviation
        means[column] = mean + (model.means[column] - fitted_mean) * stretch
        scales[column] = model.scales[column] * stretch
    return replace(model, means=means, scales=scales, encoder=encoder.name, background=found)


def background(texts: Sequence[PairText], table: TermTable, encoder: Encoder) -> Mapping[str, tuple[float, float]]:
    """Return mean and standard deviation of each cosine between texts that have nothing to do with each other.

    The first half of the texts stands for demands, the second for supplies.
    """
    half = len(texts) // 2
    demands = prepare(texts[:half], table, encoder.encode_queries, are_demands=True)
    supplies = prepare(texts[half:], table, encoder.encode_documents, are_demands=False)
    rows: Numbers = np.concatenate([pair_features(demand, supplies, one_is_demand=True) for demand in demands])
    columns = {name: rows[:, FEATURES.index(name)] for name in VECTOR_FEATURES}
    return {name: (float(column.mean()), float(column.std())) for name, column in columns.items()}


def read_background(path: Path) -> list[PairText]:
    """Read the background texts, a JSON list of [title, keywords, body].

    Raises: ValueError naming the file if it is none.
    """
    try:
        return [PairText(*row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: is no list of texts ({error})") from error
