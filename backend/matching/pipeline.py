"""Retrieve, then judge: the ranking that serves people and the one that is measured are these same functions."""

from collections.abc import Sequence

from backend.listings.tables import Kind
from backend.matching.documents import compose_text
from models.documents import Candidate, IndexFilter, SearchEngine
from models.encoder import Encoder
from models.expansion import expanded_terms
from models.features import PairText
from models.relevance import Judgement, PairScorer
from models.thesaurus import shipped

CANDIDATES = 200
# So many of the best candidates are judged as pairs; those behind them were never seen to be the answer.
RERANKED = 60


def whole_text(text: PairText) -> str:
    """Return what the encoder and BM25 read of a listing."""
    return compose_text(text.title, "", text.keywords, text.body)


def retrieve(engine: SearchEngine, encoder: Encoder, text: PairText, *, where: IndexFilter) -> list[Candidate]:
    """Return at most 200 candidates by meaning and 200 by words and their equivalents, fused, best first."""
    whole = whole_text(text)
    vector = encoder.encode_queries([whole])[0]
    return engine.retrieve(vector, expanded_terms(whole, shipped()), where, CANDIDATES)


def judge(scorer: PairScorer, text: PairText, kind: Kind, others: Sequence[PairText]) -> list[Judgement]:
    """Judge how well each of some texts of the other kind answers a text of `kind`, in their order."""
    return scorer.judge(text, others) if kind is Kind.DEMAND else scorer.judge_demands(text, others)
