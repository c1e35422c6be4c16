"""Does this supply answer this demand? A calibrated judgement of a pair, from its two texts alone."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np

from models.background import matched_background
from models.documents import Vector
from models.encoder import Encoder
from models.features import FEATURES, VECTOR_FEATURES, PairText, PreparedText, pair_features, prepare
from models.ordinal import OrdinalModel
from models.recent import Recent
from models.segments import Segments, read_segments
from models.term_table import TermTable

SHIPPED = Path(__file__).parent / "weights" / "ranker"
"""The ranker that comes with the project."""

MOST_PREPARED = 2_048  # texts of each kind kept ready, about 20 kB each
MOST_SEGMENTED = 256  # likewise cut into fragments, about 60 kB each
HASH_LENGTH = 12  # hexadecimal digits: chance of two of a thousand rankers agreeing below 1e-8


class MatchLevel(StrEnum):
    """How well a pair fits, in the four levels of the labelled data."""

    STRONG = "strong"
    FAIR = "fair"
    WEAK = "weak"
    NONE = "none"

    @property
    def order(self) -> int:
        """Return 3 for strong down to 0 for none."""
        return _ASCENDING.index(self)


_ASCENDING = (MatchLevel.NONE, MatchLevel.WEAK, MatchLevel.FAIR, MatchLevel.STRONG)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of one pair."""

    score: float
    """Expected level, 0 to 1; pairs of a higher level always have the higher score."""
    level: MatchLevel
    features: Mapping[str, float]
    """What the judgement rests on, by name."""


class PairScorer:
    """Judges pairs of a demand and a supply; may be called from any thread.

    A judgement depends on the two texts only: not on the market, not on the other candidates, not on who asks.
    """

    def __init__(
        self, *, encoder: Encoder, table: TermTable, model: OrdinalModel, fitted: OrdinalModel | None = None
    ) -> None:
        """Take the parts; `fitted` is the model as it was before it was mapped onto another encoder, if it was."""
        if model.features != FEATURES:
            raise ValueError("the ranker was fitted to other features than this version computes")
        self.encoder, self.table, self.model = encoder, table, model
        self.basis = _hash(encoder.name, table.revision, *FEATURES)
        """What the features of a pair depend on beside its texts. Where it is the same they can be compared."""
        # Not the mapped model: its last digits may differ between machines that load the same files.
        self.name = f"{self.basis}-{_hash(json.dumps((fitted or model).as_dict(), sort_keys=True))}"
        """Basis and weights: a judgement kept under another name is stale."""
        self._prepared = Recent[PairText, PreparedText](MOST_PREPARED), Recent[PairText, PreparedText](MOST_PREPARED)
        self._segments = Recent[PairText, Segments](MOST_SEGMENTED), Recent[PairText, Segments](MOST_SEGMENTED)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> Self:
        """Load a ranker; with another encoder than it was fitted to, its cosines are mapped onto the known ones.

        Raises: ValueError naming the file that is missing or broken.
        """
        fitted, table = read_ranker(folder)
        model = fitted
        if fitted.encoder != encoder.name:
            model = matched_background(fitted, folder / "background.json", table, encoder)
        return cls(encoder=encoder, table=table, model=model, fitted=fitted)

    def judge(self, demand: PairText, supplies: Sequence[PairText]) -> list[Judgement]:
        """Judge each supply for one demand, in the order given."""
        return self._judge(demand, supplies, one_is_demand=True)

    def judge_demands(self, supply: PairText, demands: Sequence[PairText]) -> list[Judgement]:
        """Judge one supply for each demand, in the order given."""
        return self._judge(supply, demands, one_is_demand=False)

    def prepared(self, texts: Sequence[PairText], *, are_demands: bool) -> list[PreparedText]:
        """Return texts read and encoded, from memory where they have been seen lately."""
        encode = self._encode(are_demands=are_demands)
        return self._prepared[are_demands].get(
            texts, lambda new: prepare(new, self.table, encode, are_demands=are_demands)
        )

    def segments(self, texts: Sequence[PairText], *, are_demands: bool) -> list[Segments]:
        """Return texts cut into fragments that can be quoted, from memory where they have been seen lately."""
        encode = self._encode(are_demands=are_demands)
        return self._segments[are_demands].get(
            texts, lambda new: [read_segments(text, self.table, encode) for text in new]
        )

    def _encode(self, *, are_demands: bool) -> Callable[[Sequence[str]], Vector]:
        return self.encoder.encode_queries if are_demands else self.encoder.encode_documents

    def _judge(self, one: PairText, many: Sequence[PairText], *, one_is_demand: bool) -> list[Judgement]:
        if not many:
            return []
        (asked,) = self.prepared([one], are_demands=one_is_demand)
        others = self.prepared(many, are_demands=not one_is_demand)
        features = pair_features(asked, others, one_is_demand=one_is_demand)
        are_bare = np.array([asked.is_bare or other.is_bare for other in others])
        sums = self.model.sums(features, are_bare)
        return [
            Judgement(score, _ASCENDING[level], MappingProxyType(dict(zip(FEATURES, row, strict=True))))
            for score, level, row in zip(
                self.model.scores(sums).tolist(), self.model.levels(sums).tolist(), features.tolist(), strict=True
            )
        ]


def read_ranker(folder: Path) -> tuple[OrdinalModel, TermTable]:
    """Read the model and the terms of a ranker's folder.

    Raises: ValueError naming the file that is missing or broken.
    """
    fitted, table = OrdinalModel.load(folder / "weights.json"), TermTable.load(folder / "terms.tsv.gz")
    if fitted.features != FEATURES or fitted.background.keys() != set(VECTOR_FEATURES):
        raise ValueError(f"{folder / 'weights.json'}: was fitted to other features than this version computes")
    return fitted, table


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:HASH_LENGTH]
