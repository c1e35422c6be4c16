"""Above `exact_rows` matching rows the dense side may approximate; counts, narrow filters and words stay exact."""

import numpy as np
import pytest
from corpora import DIMENSION, FIELDS, IDENTITY, REGIONS, make_document, tokenize

from models.documents import IndexDocument, IndexFilter
from models.exact import ExactIndex
from models.index import Index
from models.snapshot import Tuning

ROWS = 6_000
EXACT_ROWS = 1_000


def clustered(seed: int = 7) -> list[IndexDocument]:
    numbers = np.random.default_rng(seed)
    centres = numbers.standard_normal((30, DIMENSION))
    cluster = numbers.integers(0, 30, ROWS)
    points = centres[cluster] + 0.5 * numbers.standard_normal((ROWS, DIMENSION))
    units = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    return [
        make_document(
            f"id-{number}",
            kind="supply" if number % 3 else "demand",
            vector=units[number],
            region=REGIONS[number % 6],
            fields=frozenset({FIELDS[cluster[number] % 4]}),
            maturity=number % 6,
        )
        for number in range(ROWS)
    ]


@pytest.fixture(scope="module")
def corpus():
    return clustered()


@pytest.fixture(scope="module")
def index(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broad")
    tuning = Tuning(exact_rows=EXACT_ROWS, rows_per_centroid=100)
    return Index.build(folder, corpus, sequence=0, identity=IDENTITY, tokenize=tokenize, tuning=tuning)


@pytest.fixture(scope="module")
def oracle(corpus):
    exact = ExactIndex(tokenize=tokenize)
    exact.rebuild(corpus)
    return exact


def recall(index: Index, oracle: ExactIndex, where: IndexFilter, queries: list[IndexDocument]) -> float:
    shares = []
    for query in queries:
        found = {id_ for id_, _ in index.neighbours(query.vector, where, 100)}
        best = {id_ for id_, _ in oracle.neighbours(query.vector, where, 100)}
        shares.append(len(found & best) / len(best))
    return float(np.mean(shares))


@pytest.mark.parametrize("where", [IndexFilter(), IndexFilter(kind="supply"), IndexFilter(maturity_at_least=2)])
def test_a_broad_search_finds_99_of_100_nearest(index, oracle, where):
    assert index.count(where) > EXACT_ROWS

    assert recall(index, oracle, where, clustered(seed=8)[:30]) >= 0.99


def test_a_broad_search_reads_only_part_of_the_lists(index):
    layout = index._view.snapshot.vectors._layout

    kinds = [np.count_nonzero(layout.centroid_kind == kind) for kind in (0, 1)]

    assert all(0 < probes < centroids for probes, centroids in zip(layout.probes.tolist(), kinds, strict=True))


@pytest.mark.parametrize(
    "where",
    [
        IndexFilter(kind="supply", fields=frozenset({"brain"}), maturity_at_least=3),
        IndexFilter(kind="demand", regions=frozenset({"110108"})),
        IndexFilter(only=frozenset(f"id-{number}" for number in range(900))),
    ],
)
def test_a_narrow_search_is_exact(index, oracle, corpus, where):
    assert 100 < index.count(where) <= EXACT_ROWS
    assert index.count(where) == oracle.count(where)

    assert recall(index, oracle, where, corpus[:30]) == 1.0


def test_every_candidate_of_a_broad_search_has_its_cosine(index, oracle, corpus):
    query = corpus[17]

    found = index.retrieve(query.vector, {"电池": 1.0}, IndexFilter(), 2 * EXACT_ROWS)

    exact = dict(oracle.neighbours(query.vector, IndexFilter(), ROWS))
    assert any(candidate.dense_rank is None for candidate in found)
    assert all(abs(candidate.dense_score - exact[candidate.id]) < 1e-5 for candidate in found)
