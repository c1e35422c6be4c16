"""What the ranker learns from: graded pairs of a judged collection, and our own market with its judgements."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from models.encoder import Encoder
from models.evaluation import Collection, Entry
from models.features import FEATURES, Numbers, PairText, pair_features, prepare
from models.term_table import TermTable

BACKGROUND_FIELDS = (
    3  # of our market's: these give background demands, the others supplies, so that none belong together
)
ANSWER, BEST = 2, 3  # in 0 to 3: the grade from which a supply answers a demand, and the highest
BACKGROUND_TEXTS = 24  # of each kind, every second of a field, until there are enough


@dataclass(frozen=True, slots=True)
class Pairs:
    """The features of n pairs, grouped by demand."""

    features: Numbers
    """(n, f) float64."""
    demand: NDArray[np.int64]
    """(n,), number of the demand, from 0 on."""
    grade: NDArray[np.int64]
    """(n,), 0 none to 3 strong."""
    is_bare: NDArray[np.bool_]
    """(n,), whether one of the two texts is a bare title."""

    @property
    def demands(self) -> int:
        """Return the number of demands."""
        return len(np.unique(self.demand))

    def of(self, demands: NDArray[np.int64]) -> "Pairs":
        """Return the pairs of some demands."""
        return self.where(np.isin(self.demand, demands))

    def where(self, keep: NDArray[np.bool_]) -> "Pairs":
        """Return the pairs for which `keep` (n,) says so."""
        return Pairs(self.features[keep], self.demand[keep], self.grade[keep], self.is_bare[keep])


@dataclass(frozen=True, slots=True)
class Market:
    """Our own listings, and how well supplies answer demands."""

    demands: Mapping[str, PairText]
    supplies: Mapping[str, PairText]
    grades: Mapping[str, Mapping[str, int]]
    """By demand and supply, 0 to 3: judged by readers, or else what the demand's author expects; absent: 0."""
    judged: frozenset[str]
    """The demands for which readers have judged all that any ranker finds."""
    field_of: Mapping[str, str]


def read_market(folder: Path, judgements: Path) -> Market:
    """Read every field's file of our market, and the file of judgements with grades 1 to 4."""
    rows: dict[str, list[dict[str, Any]]] = {"demands": [], "supplies": []}
    field_of: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for kind, found in rows.items():
            found.extend(content[kind])
            field_of |= {row["key"]: content["field"] for row in content[kind]}
    judged = read_judgements(judgements)
    expected = {row["key"]: dict.fromkeys(row["expects"], BEST) for row in rows["demands"]}
    return Market(
        demands={row["key"]: _text(row) for row in rows["demands"]},
        supplies={row["key"]: _text(row) for row in rows["supplies"]},
        grades=expected | judged,
        judged=frozenset(judged),
        field_of=field_of,
    )


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Return grades 0 to 3 by demand and supply from lines of demand, supply and a grade 1 to 4 below a header."""
    grades: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        demand, supply, grade = line.split("\t")
        grades.setdefault(demand, {})[supply] = int(grade) - 1
    return grades


def _text(row: Mapping[str, Any]) -> PairText:
    return PairText(row["title"], " ".join(row["keywords"]), f"{row['summary']}\n{row['description']}")


def write_background(market: Market, path: Path) -> list[PairText]:
    """Write and return demands of some fields of our market and then as many supplies of the others."""
    fields = sorted(set(market.field_of.values()))
    chosen = [
        [text for key, text in texts.items() if market.field_of[key] in allowed][::2][:BACKGROUND_TEXTS]
        for texts, allowed in (
            (market.demands, fields[:BACKGROUND_FIELDS]),
            (market.supplies, fields[BACKGROUND_FIELDS:]),
        )
    ]
    rows = [[text.title, text.keywords, text.body] for texts in chosen for text in texts]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return [text for texts in chosen for text in texts]


def market_pairs(market: Market, table: TermTable, encoder: Encoder) -> Pairs:
    """Return every demand of our market, in its order, with every supply."""
    supplies = list(market.supplies)
    grades = {key: {supply: market.grades[key].get(supply, 0) for supply in supplies} for key in market.demands}
    return _pairs(market.demands, market.supplies, grades, table, encoder)


def graded_pairs(collection: Collection, table: TermTable, encoder: Encoder) -> Pairs:
    """Return the judged pairs of a collection whose grades are 1 (none) to 4 (strong)."""
    queries, corpus = _entries(collection.queries), _entries(collection.corpus)
    pairs = _pairs(queries, corpus, collection.grades, table, encoder)
    return replace(pairs, grade=pairs.grade - 1)


def title_pairs(collection: Collection, table: TermTable, encoder: Encoder) -> Pairs:
    """Return every query of a collection with every document."""
    documents = sorted(collection.corpus)
    grades = {key: {one: grades.get(one, 0) for one in documents} for key, grades in collection.grades.items()}
    return _pairs(_entries(collection.queries), _entries(collection.corpus), grades, table, encoder)


def _entries(entries: Mapping[str, Entry]) -> dict[str, PairText]:
    return {key: PairText(entry.title, "", entry.text) for key, entry in entries.items()}


def _pairs(
    demands: Mapping[str, PairText],
    supplies: Mapping[str, PairText],
    grades: Mapping[str, Mapping[str, int]],
    table: TermTable,
    encoder: Encoder,
) -> Pairs:
    asked = prepare([demands[key] for key in grades], table, encoder.encode_queries, are_demands=True)
    read = prepare(list(supplies.values()), table, encoder.encode_documents, are_demands=False)
    offered = dict(zip(supplies, read, strict=True))
    blocks: list[Numbers] = []
    is_bare: list[bool] = []
    for text, judged in zip(asked, grades.values(), strict=True):
        others = [offered[key] for key in sorted(judged)]
        blocks.append(pair_features(text, others, one_is_demand=True))
        is_bare += [text.is_bare or other.is_bare for other in others]
    sizes: Sequence[int] = [len(block) for block in blocks]
    grade = [judged[key] for judged in grades.values() for key in sorted(judged)]
    features = np.concatenate(blocks) if blocks else np.zeros((0, len(FEATURES)))
    return Pairs(features, np.repeat(np.arange(len(blocks)), sizes), np.array(grade, np.int64), np.array(is_bare))
