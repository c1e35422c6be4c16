"""Measure the ranking that serves people on a judged collection, beside each of the parts that it is made of."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.listings.tables import Kind
from backend.matching.documents import compose_text
from backend.matching.pipeline import RERANKED, judge, retrieve
from models.bm25 import term_weights
from models.cross_encoder import CrossEncoder
from models.documents import ANY, Candidate, IndexDocument, IndexFilter
from models.encoder import Encoder
from models.evaluation import Collection, Entry, Pool, evaluate_rankings
from models.features import PairText
from models.index import Index
from models.relevance import MatchLevel, PairScorer
from models.snapshot import Identity
from models.text import ANALYSIS, normalise, tokens

ABSENT = -np.inf
BATCH = 256
# Judged candidates stand above those that were only retrieved.
JUDGED_ABOVE = 10.0


@dataclass(frozen=True)
class Evaluation:
    """The measures of our ranking and of its parts, and how often the answer was that nothing fits."""

    ours: Mapping[str, float | None]
    bm25: Mapping[str, float | None]
    dense: Mapping[str, float | None]
    fused: Mapping[str, float | None]
    """Both of these retrieved and fused, not yet judged as pairs."""
    without_cross_encoder: Mapping[str, float | None] | None
    """Our ranking in the order of the ranker alone, where a cross-encoder is set."""
    no_match_share: float
    queries: int
    documents: int

    def as_dict(self) -> dict[str, object]:
        """Return the stable form that other programs read."""
        baselines = {"bm25": dict(self.bm25), "dense": dict(self.dense), "fused": dict(self.fused)}
        if self.without_cross_encoder is not None:
            baselines["without_cross_encoder"] = dict(self.without_cross_encoder)
        return {
            **self.ours,
            "no_match_share": self.no_match_share,
            "queries": self.queries,
            "documents": self.documents,
            "baselines": baselines,
        }


class Measurement:
    """A collection as a market of its own: its corpus are supplies in an index of their own, its queries demands."""

    def __init__(self, collection: Collection, folder: Path, *, encoder: Encoder, scorer: PairScorer) -> None:
        self._collection = collection
        self._encoder, self._scorer = encoder, scorer
        self._texts = {key: _pair_text(entry) for key, entry in collection.corpus.items()}
        identity = Identity(encoder=encoder.name, dimension=encoder.dimension, analysis=ANALYSIS)
        self._index = Index.build(folder, self._documents(), sequence=0, identity=identity, tokenize=tokens)

    def _documents(self) -> list[IndexDocument]:
        keys = sorted(self._collection.corpus)
        wholes = [_whole(self._collection.corpus[key]) for key in keys]
        blocks = [self._encoder.encode_documents(wholes[at : at + BATCH]) for at in range(0, len(keys), BATCH)]
        vectors = np.concatenate(blocks) if blocks else np.zeros((0, self._encoder.dimension), np.float32)
        return [
            IndexDocument(
                id=key,
                kind="supply",
                title=normalise(entry.title),
                keywords="",
                body=normalise(entry.text),
                vector=vector,
                region="110000",
                content_hash=key,
            )
            for key, vector in zip(keys, vectors, strict=True)
            for entry in (self._collection.corpus[key],)
        ]

    def ours(
        self, query_id: str, candidates: Sequence[str], *, cross_encoder: CrossEncoder | None = None
    ) -> NDArray[np.float64]:
        """Score candidates as people are served: retrieved, the best judged as pairs, the rest behind them."""
        text = _pair_text(self._collection.queries[query_id])
        found = self._retrieve(text, candidates)
        known = {candidate.id: candidate.fused_score for candidate in found}
        best = [one.id for one in (found if len(candidates) < len(self._texts) else found[:RERANKED])]
        texts = [self._texts[key] for key in best]
        judgements = judge(self._scorer, text, Kind.DEMAND, texts, cross_encoder=cross_encoder)
        for key, judgement in zip(best, judgements, strict=True):
            known[key] = JUDGED_ABOVE + judgement.score
        return np.array([known.get(key, ABSENT) for key in candidates])

    def fused(self, query_id: str, candidates: Sequence[str]) -> NDArray[np.float64]:
        """Score candidates as they are retrieved, before any is judged as a pair."""
        found = self._retrieve(_pair_text(self._collection.queries[query_id]), candidates)
        known = {candidate.id: candidate.fused_score for candidate in found}
        return np.array([known.get(key, ABSENT) for key in candidates])

    def _retrieve(self, text: PairText, candidates: Sequence[str]) -> list[Candidate]:
        where = ANY if len(candidates) == len(self._texts) else IndexFilter(only=frozenset(candidates))
        return retrieve(self._index, self._encoder, text, where=where)

    def bm25(self, query_id: str, candidates: Sequence[str]) -> NDArray[np.float64]:
        """Score candidates by BM25 alone."""
        terms = term_weights(tokens(_whole(self._collection.queries[query_id])))
        found = self._index.retrieve(None, terms, IndexFilter(only=frozenset(candidates)), len(candidates))
        known = {candidate.id: candidate.lexical_score or 0.0 for candidate in found}
        return np.array([known.get(key, 0.0) for key in candidates])

    def dense(self, query_id: str, candidates: Sequence[str]) -> NDArray[np.float64]:
        """Score candidates by the cosine alone."""
        vector = self._encoder.encode_queries([_whole(self._collection.queries[query_id])])[0]
        known = dict(self._index.neighbours(vector, IndexFilter(only=frozenset(candidates)), len(candidates)))
        return np.array([known.get(key, ABSENT) for key in candidates])

    def answers_nothing(self, query_id: str) -> bool:
        """Tell whether the platform would answer that nothing fits."""
        text = _pair_text(self._collection.queries[query_id])
        found = retrieve(self._index, self._encoder, text, where=ANY)[:RERANKED]
        judgements = judge(self._scorer, text, Kind.DEMAND, [self._texts[candidate.id] for candidate in found])
        return all(judgement.level is MatchLevel.NONE for judgement in judgements)


def evaluate(
    collection: Collection,
    *,
    pool: Pool,
    encoder: Encoder,
    scorer: PairScorer,
    cross_encoder: CrossEncoder | None = None,
) -> Evaluation:
    """Measure a collection; without judgements only the share of queries answered with 没有合适的 is told."""
    with tempfile.TemporaryDirectory(prefix="jiqiao-evaluate-") as folder:
        market = Measurement(collection, Path(folder), encoder=encoder, scorer=scorer)
        nothing = [market.answers_nothing(query_id) for query_id in collection.queries]
        ranked = evaluate_rankings(collection, market.ours, pool=pool).as_dict()
        ordered = partial(market.ours, cross_encoder=cross_encoder)
        return Evaluation(
            ours=evaluate_rankings(collection, ordered, pool=pool).as_dict() if cross_encoder else ranked,
            without_cross_encoder=ranked if cross_encoder else None,
            bm25=evaluate_rankings(collection, market.bm25, pool=pool).as_dict(),
            dense=evaluate_rankings(collection, market.dense, pool=pool).as_dict(),
            fused=evaluate_rankings(collection, market.fused, pool=pool).as_dict(),
            no_match_share=float(np.mean(nothing)) if nothing else 0.0,
            queries=len(collection.queries),
            documents=len(collection.corpus),
        )


def _whole(entry: Entry) -> str:
    return compose_text(entry.title, "", "", entry.text)


def _pair_text(entry: Entry) -> PairText:
    """Return an entry as a listing; one without a title is known by its text alone."""
    return PairText(title=entry.title, body=entry.text)
