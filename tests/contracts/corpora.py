"""Random corpora, filters and queries for the contracts of the index, and what it means for two answers to agree."""

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from models.bm25 import Tokenize
from models.documents import HIGHEST_PRICE, Candidate, IndexDocument, IndexFilter, Vector
from models.exact import ExactIndex
from models.snapshot import Identity

# Flushing to a real disk would take nine tenths of the time of these tests; where Linux has no memory folder, it does.
MEMORY_FOLDER = next((folder for folder in ("/dev/shm",) if os.access(folder, os.W_OK)), None)  # noqa: S108
DIMENSION = 8
IDENTITY = Identity(encoder="hash-8@1", dimension=DIMENSION, analysis="words@1")
IDS = [f"id-{number:02d}" for number in range(24)]
WORDS = ["电池", "隔膜", "脑电", "电极", "组分", "中药", "基站", "天线", "𠮷野", "cmos", "的"]
REGIONS = ["110108", "110105", "120111", "120000", "130629", "133100"]
PARKS = ["tiankai", "xiongan"]
FIELDS = ["computing", "vehicles", "brain", "tcm"]
MODES = ["transfer", "licence", "equity"]
DENSE_TOLERANCE = 1e-5
LEXICAL_TOLERANCE = 1e-5  # relative: tantivy adds in float32, the oracle in float64

tokenize: Tokenize = str.split


def unit_vector(seed: int, dimension: int = DIMENSION) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def make_document(id_: str, **changes: object) -> IndexDocument:
    usual = {
        "kind": "supply",
        "title": "电池 隔膜",
        "keywords": "电池",
        "body": "一种 电池 隔膜",
        "vector": unit_vector(sum(map(ord, id_))),
        "region": "110108",
        "content_hash": f"hash of {id_}",
    }
    return IndexDocument(id=id_, **(usual | changes))


# Few seeds, so that equal vectors and therefore equal scores occur.
vectors = st.one_of(
    st.integers(0, 12).map(unit_vector),
    st.integers(0, 2**32).map(unit_vector),
    st.just(np.zeros(DIMENSION, np.float32)),
)
texts = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
long_texts = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
prices = st.one_of(st.none(), st.integers(0, 9).map(lambda tens: tens * 100_000), st.just(HIGHEST_PRICE))


def codes(known: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(known), max_size=2)


documents = st.builds(
    IndexDocument,
    id=st.sampled_from(IDS),
    kind=st.sampled_from(["supply", "demand"]),
    title=texts,
    keywords=texts,
    body=long_texts,
    vector=vectors,
    region=st.sampled_from(REGIONS),
    content_hash=st.integers(0, 2**32).map(str),
    published_at=st.integers(0, 5),
    park=st.one_of(st.none(), st.sampled_from(PARKS)),
    fields=codes(FIELDS),
    maturity=st.integers(0, 5),
    modes=codes(MODES),
    price_low=prices,
    price_high=prices,
)
corpora = st.lists(documents, max_size=24, unique_by=lambda document: document.id)
filters = st.builds(
    IndexFilter,
    kind=st.sampled_from([None, "supply", "demand"]),
    regions=st.one_of(st.just(frozenset()), codes([*REGIONS, "999999"])),
    parks=st.one_of(st.just(frozenset()), codes([*PARKS, "nowhere"])),
    fields=st.one_of(st.just(frozenset()), codes([*FIELDS, "alchemy"])),
    modes=st.one_of(st.just(frozenset()), codes(MODES)),
    maturity_at_least=st.one_of(st.just(0), st.integers(0, 7)),
    price_at_least=st.one_of(st.none(), prices, st.integers(-(10**20), 10**20)),
    price_at_most=st.one_of(st.none(), prices, st.integers(-(10**20), 10**20)),
    published_since=st.one_of(st.none(), st.integers(0, 5)),
    unknown_passes=st.booleans(),
    exclude=st.one_of(st.just(frozenset()), codes([*IDS, "id-unknown"])),
    only=st.one_of(st.none(), st.none(), st.frozensets(st.sampled_from([*IDS, "id-unknown"]))),
)
terms = st.dictionaries(st.sampled_from([*WORDS, "unheard"]), st.sampled_from([0.5, 1.0, 3.0]), max_size=6)
query_vectors = st.one_of(st.none(), vectors)


def assert_agree(answer: Sequence[Candidate], oracle: ExactIndex, query: tuple, limit: int) -> None:
    """Check that an answer is the oracle's, up to the order of documents whose scores are equal within tolerance."""
    vector, words, where = query
    everything = oracle.retrieve(vector, words, where, limit=1000)
    cosines = {candidate.id: candidate.dense_score for candidate in everything if candidate.dense_rank}
    scores = {candidate.id: candidate.lexical_score for candidate in everything if candidate.lexical_rank}
    nearest = {candidate.dense_rank: candidate for candidate in answer if candidate.dense_rank}
    worded = {candidate.lexical_rank: candidate for candidate in answer if candidate.lexical_rank}
    _assert_ranked([(nearest[rank].id, nearest[rank].dense_score) for rank in sorted(nearest)], cosines, limit)
    _assert_ranked([(worded[rank].id, worded[rank].lexical_score) for rank in sorted(worded)], scores, limit)
    assert sorted(nearest) == list(range(1, len(nearest) + 1))
    assert sorted(worded) == list(range(1, len(worded) + 1))
    for candidate in answer:
        assert (candidate.dense_score is None) == (vector is None)
        assert vector is None or abs(candidate.dense_score - cosines[candidate.id]) <= DENSE_TOLERANCE
        assert (candidate.lexical_score is None) == (candidate.lexical_rank is None)
        fused = sum(1 / (60 + rank) for rank in (candidate.dense_rank, candidate.lexical_rank) if rank)
        assert candidate.fused_score == fused
    order = [(-candidate.fused_score, candidate.id) for candidate in answer]
    assert order == sorted(order)
    assert len({candidate.id for candidate in answer}) == len(answer)


def _assert_ranked(ranked: Sequence[tuple[str, float]], exact: Mapping[str, float], limit: int) -> None:
    assert len(ranked) == min(limit, len(exact))
    tolerance = max([DENSE_TOLERANCE, *(abs(score) * LEXICAL_TOLERANCE for score in exact.values())])
    for id_, score in ranked:
        assert abs(score - exact[id_]) <= tolerance
    found = [exact[id_] for id_, _ in ranked]
    assert all(before >= after - tolerance for before, after in pairwise(found))
    left_out = [score for id_, score in exact.items() if id_ not in dict(ranked)]
    assert max(left_out, default=-np.inf) <= min(found, default=np.inf) + tolerance
