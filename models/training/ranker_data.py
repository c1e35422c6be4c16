"""What the ranker learns from: graded pairs of a judged collection, and our own market with its expected answers."""

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
BACKGROUND_TEXTS = 24  # of each kind, every second of a field, until there are enough


@dataclass(frozen=True, slots=True)
class Pairs:
    """The features of n pairs, grouped by demand."""

    features: Numbers
    """(n, f) float64."""
    demand: NDArray[np.int64]
    """(n,), number of the demand, from 0 on."""
    grade: NDArray[np.int64]
    """(n,), 0 none to 3 strong; in our market 1 for an expected answer, else 0."""
    is_bare: NDArray[np.bool_]
    """(n,), whether one of the two texts is a bare title."""

    @property
    def demands(self) -> int:
        """Return the number of demands."""
        return int(self.demand.max()) + 1

    def of(self, demands: NDArray[np.int64]) -> "Pairs":
        """Return the pairs of some demands."""
        keep = np.isin(self.demand, demands)
        return Pairs(self.features[keep], self.demand[keep], self.grade[keep], self.is_bare[keep])


@dataclass(frozen=True, slots=True)
class Market:
    """Our own listings and which supplies a specialist expects as answers to each demand."""

    demands: Mapping[str, PairText]
    supplies: Mapping[str, PairText]
    expects: Mapping[str, frozenset[str]]
    field_of: Mapping[str, str]


def read_market(folder: Path) -> Market:
    """Read every field's file of our market."""
    rows: dict[str, list[dict[str, Any]]] = {"demands": [], "supplies": []}
    field_of: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for kind, found in rows.items():
            found.extend(content[kind])
            field_of |= {row["key"]: content["field"] for row in content[kind]}
    return Market(
        demands={row["key"]: _text(row) for row in rows["demands"]},
        supplies={row["key"]: _text(row) for row in rows["supplies"]},
        expects={row["key"]: frozenset(row["expects"]) for row in rows["demands"]},
        field_of=field_of,
    )


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
    """Return every demand of our market with every supply."""
    supplies = list(market.supplies)
    grades = {key: {supply: int(supply in expected) for supply in supplies} for key, expected in market.expects.items()}
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
    asked = prepare([demands[key] for key in grades], table, encoder.encode_queries)
    offered = dict(zip(supplies, prepare(list(supplies.values()), table, encoder.encode_documents), strict=True))
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
