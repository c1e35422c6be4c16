"""The nearest of many for many at once are exactly those that sorting everything gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blocks import nearest


@given(st.integers(1, 40), st.integers(1, 300), st.integers(1, 60), st.integers(0, 10_000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_blocks_agree_with_sorting_every_product(managers, listings, k, seed, with_ties):
    chance = np.random.default_rng(seed)
    queries = chance.standard_normal((managers, 8)).astype(np.float32)
    documents = chance.standard_normal((listings, 8)).astype(np.float32)
    if with_ties:
        queries, documents = np.round(queries), np.round(documents)

    scores, places = nearest(queries, documents, k)

    products = queries @ documents.T
    kept = min(k, listings)
    assert places.shape == (managers, kept)
    np.testing.assert_allclose(scores, -np.sort(-products, axis=1)[:, :kept], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(products, places, axis=1), scores, rtol=1e-5, atol=1e-5)
    assert all(len(set(row)) == kept for row in places.tolist())


def test_a_block_boundary_loses_nothing():
    chance = np.random.default_rng(1)
    queries = chance.standard_normal((2100, 4)).astype(np.float32)
    documents = chance.standard_normal((70, 4)).astype(np.float32)

    scores, _ = nearest(queries, documents, 3)

    np.testing.assert_allclose(scores, -np.sort(-(queries @ documents.T), axis=1)[:, :3], rtol=1e-5)


def test_wrong_use_is_refused():
    with pytest.raises(ValueError, match="k is 0"):
        nearest(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32), 0)
    with pytest.raises(ValueError, match="3 dimensions"):
        nearest(np.zeros((1, 3), np.float32), np.zeros((1, 2), np.float32), 1)
