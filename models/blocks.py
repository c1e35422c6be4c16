"""The k nearest of many vectors for many others at once: exact, in blocks, with little memory."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]
# A block is multiplied at once by all cores; its parts, small enough for a core's cache, are selected from in parallel.
BLOCK_ROWS, PART_ROWS = 2048, 64
# Columns are dealt out to so many groups: several times k, so that most of the k best are the best of their group.
GROUPS_PER_K = 4


def nearest(queries: Matrix, documents: Matrix, k: int) -> tuple[Matrix, Places]:
    """Return the k largest inner products of each query with the documents, and where they are, best first.

    queries: (m, d) float32; documents: (n, d) float32; returns two (m, min(k, n)) arrays; ties by place.
    Exact: the k-th largest of the group maxima of a row can be no larger than its k-th largest value, so whatever is
    smaller than it is not among the k best. What remains, little more than k, is sorted.
    Memory: one block of 2,048 x n float32 beside the result.
    Raises: ValueError for k < 1 or vectors of different lengths.
    """
    if k < 1 or queries.shape[1] != documents.shape[1]:
        raise ValueError(f"k is {k}; queries have {queries.shape[1]} dimensions, documents {documents.shape[1]}")
    kept = min(k, len(documents))
    scores = np.empty((len(queries), kept), np.float32)
    places = np.empty((len(queries), kept), np.int64)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for first, products in _products(queries, documents):

            def select(start: int, first: int = first, products: Matrix = products) -> None:
                part = products[start : start + PART_ROWS]
                rows = slice(first + start, first + start + len(part))
                scores[rows], places[rows] = _best(part, kept)

            list(workers.map(select, range(0, len(products), PART_ROWS)))
    return scores, places


def _products(queries: Matrix, documents: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield the first row and the products of each block of queries with all documents, in one buffer."""
    buffer = np.empty((min(BLOCK_ROWS, len(queries)), len(documents)), np.float32)
    for start in range(0, len(queries), BLOCK_ROWS):
        block = queries[start : start + BLOCK_ROWS]
        np.matmul(block, documents.T, out=buffer[: len(block)])
        yield start, buffer[: len(block)]


def _best(products: Matrix, k: int) -> tuple[Matrix, Places]:
    """Return the k largest of each row and their columns, best first; ties by column."""
    count, width = products.shape
    if k == 0:
        return products[:, :0], np.empty((count, 0), np.int64)
    flat = np.flatnonzero(products >= _floors(products, k)[:, None])
    row = flat // width
    counts = np.bincount(row, minlength=count)
    seat = np.arange(len(flat)) - (np.cumsum(counts) - counts)[row]
    found = np.full((count, int(counts.max())), np.inf, np.float32)
    column = np.zeros(found.shape, np.int64)
    found[row, seat] = -products.ravel()[flat]
    column[row, seat] = flat - row * width
    order = np.argsort(found, axis=1, kind="stable")[:, :k]
    return -np.take_along_axis(found, order, axis=1), np.take_along_axis(column, order, axis=1)


def _floors(products: Matrix, k: int) -> Matrix:
    """Return for each row a value that at least k of its entries reach: the k-th largest of the maxima of groups."""
    width = products.shape[1]
    groups = min(width, GROUPS_PER_K * k)
    depth = width // groups
    maxima = products[:, :groups].copy()
    for layer in range(1, depth):
        np.maximum(maxima, products[:, layer * groups : (layer + 1) * groups], out=maxima)
    floors: Matrix = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    return floors
