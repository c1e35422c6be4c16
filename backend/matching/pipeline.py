"""Retrieve, then judge: the ranking that serves people and the one that is measured are these same functions."""

from collections.abc import Sequence
from dataclasses import replace

from backend.listings.tables import Kind
from backend.matching.documents import compose_text
from models.cross_encoder import CrossEncoder
from models.documents import Candidate, IndexFilter, SearchEngine
from models.encoder import Encoder
from models.expansion import expanded_terms
from models.features import PairText
from models.relevance import Judgement, PairScorer
from models.thesaurus import shipped

CANDIDATES = 200
# So many of the best candidates are judged as pairs; those behind them were never seen to be the answer.
RERANKED = 40
# So many of the best are read once more by a cross-encoder, where one is set: twice what a page shows.
ORDERED_ANEW = 20


def whole_text(text: PairText) -> str:
    """Return what the encoder and BM25 read of a listing."""
    return compose_text(text.title, "", text.keywords, text.body)


def retrieve(engine: SearchEngine, encoder: Encoder, text: PairText, *, where: IndexFilter) -> list[Candidate]:
    """Return at most 200 candidates by meaning and 200 by words and their equivalents, fused, best first."""
    whole = whole_text(text)
    vector = encoder.encode_queries([whole])[0]
    return engine.retrieve(vector, expanded_terms(whole, shipped()), where, CANDIDATES)


def judge(
    scorer: PairScorer,
    text: PairText,
    kind: Kind,
    others: Sequence[PairText],
    *,
    cross_encoder: CrossEncoder | None = None,
) -> list[Judgement]:
    """Judge how well each of some texts of the other kind answers a text of `kind`, in their order.

    A cross-encoder orders the best of each level anew: they exchange their scores, and keep their levels.
    """
    found = scorer.judge(text, others) if kind is Kind.DEMAND else scorer.judge_demands(text, others)
    if cross_encoder is None:
        return found
    best = sorted(range(len(found)), key=lambda place: (-found[place].score, place))[:ORDERED_ANEW]
    wholes = [whole_text(others[place]) for place in best]
    mine = whole_text(text)
    pairs = [(mine, other) if kind is Kind.DEMAND else (other, mine) for other in wholes]
    read = dict(zip(best, cross_encoder.scores(pairs), strict=True))
    # By level first: what is shown as strong stays above what is shown as fair, whatever the cross-encoder says.
    anew = sorted(best, key=lambda place: (-found[place].level.order, -read[place]))
    exchanged = {place: found[held].score for place, held in zip(anew, best, strict=True)}
    return [replace(one, score=exchanged.get(place, one.score)) for place, one in enumerate(found)]
