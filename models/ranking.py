"""Fusion of rankings."""

from collections.abc import Mapping, Sequence

from models.documents import Candidate

Ranked = Sequence[tuple[str, float]]
"""Ids with their scores, best first."""


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]], *, k: int = 60) -> list[tuple[str, float]]:
    """Fuse R rankings of document ids (best first, any lengths) into one.

    Scores are unitless sums of 1 / (k + rank), rank from 1; an absent id adds 0; ties sort by id.
    Raises: ValueError if k <= 0.
    Source: Cormack, Clarke and Buettcher, SIGIR 2009, for the formula and k = 60.
    """
    if k <= 0:
        raise ValueError(f"k must be above 0: {k}")
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, document_id in enumerate(ranking, start=1):
            scores[document_id] = scores.get(document_id, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def fuse(dense: Ranked | None, lexical: Ranked, cosines: Mapping[str, float]) -> list[Candidate]:
    """Return every document that either side ranked, with the scores and ranks of both, best first.

    `dense` is None for a query without a vector; `cosines` are those of documents that only the lexical side ranked.
    """
    dense_places, lexical_places = _places(dense or []), _places(lexical)
    unranked = (None, None)
    candidates = []
    for id_, score in reciprocal_rank_fusion([list(dense_places), list(lexical_places)]):
        dense_rank, cosine = dense_places.get(id_, unranked)
        lexical_rank, words = lexical_places.get(id_, unranked)
        if cosine is None and dense is not None:
            cosine = cosines[id_]
        candidates.append(Candidate(id_, cosine, words, dense_rank, lexical_rank, score))
    return candidates


def _places(ranked: Ranked) -> dict[str, tuple[int, float]]:
    return {id_: (rank, score) for rank, (id_, score) in enumerate(ranked, start=1)}
