"""How the rows of a snapshot are cut into lists: attribute cells, and coarse centroids inside the cells of large kinds.

A cell is (kind, province, combination of fields). Where a kind has many rows, each of its cells is divided again by the
nearest of some centroids. Rows are numbered in the order of the lists, so a mask over rows is also a set of lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from models.attributes import AttributeTable, Codebook, Mask
from models.documents import KINDS, Vector

Rows = NDArray[np.int64]

EXACT_ROWS = 50_000  # a scan of these takes about as long as a page (4 ms at d = 256, one thread)
ROWS_PER_CENTROID = 1_500
CALIBRATION_QUERIES = 200
CALIBRATION_DEPTH = 200
WANTED_RECALL = 0.995  # of the first 200; above the promised 0.99 because the sample is finite
SEED = 20231129  # any number; fixed so that a rebuild of the same documents gives the same lists


@dataclass(frozen=True)
class Layout:
    """The lists of a snapshot.

    `starts` (L + 1,) int64: list i holds rows starts[i] to starts[i + 1], at least one.
    `list_centroid` (L,) int64: its place in `centroids`, or -1.
    `centroids` (c, d) float32 of unit length, `centroid_kind` (c,) uint8: those of one kind stand together.
    `probes` (2,) int64: how many centroids of each kind to visit in a broad search; 0 where the kind has none.
    """

    starts: Rows
    list_centroid: Rows
    centroids: Vector
    centroid_kind: NDArray[np.uint8]
    probes: Rows

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, to be saved."""
        return {f"layout_{part.name}": getattr(self, part.name) for part in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Layout":
        """Return the layout that `as_arrays` gave."""
        return cls(*(arrays[f"layout_{part.name}"] for part in fields(cls)))


def plan_layout(
    table: AttributeTable,
    book: Codebook,
    vectors: Vector,
    *,
    exact_rows: int = EXACT_ROWS,
    rows_per_centroid: int = ROWS_PER_CENTROID,
) -> tuple[Rows, Layout]:
    """Return the order in which to number the rows, and the lists they then form.

    `vectors` is (n, d) float32; the order is (n,) int64, positions in `table` and `vectors`.
    """
    centroids, centroid_kind = _coarse_centroids(table, vectors, exact_rows, rows_per_centroid)
    nearest = _nearest_centroid(table, vectors, centroids, centroid_kind)
    province = np.array([int(code[:2]) for code in book.regions], np.int64)[table.region]
    keys = np.stack([column.astype(np.int64) for column in (nearest, table.fields, province, table.kind)])
    order = np.lexsort(keys)
    keys = keys[:, order]
    changes = np.flatnonzero(np.any(keys[:, 1:] != keys[:, :-1], axis=0)) + 1
    starts = np.unique(np.concatenate([[0], changes, [len(table)]])).astype(np.int64)
    probes = np.zeros(len(KINDS), np.int64)
    layout = Layout(starts, keys[0][starts[:-1]], centroids, centroid_kind, probes)
    return order, _calibrated(layout, table.take(order), vectors[order]) if len(centroids) else layout


def _coarse_centroids(
    table: AttributeTable, vectors: Vector, exact_rows: int, rows_per_centroid: int
) -> tuple[Vector, NDArray[np.uint8]]:
    centroids = [np.empty((0, vectors.shape[1]), np.float32)]
    kinds: list[int] = []
    for kind in range(len(KINDS)):
        own = vectors[table.kind == kind]
        if len(own) > exact_rows:
            clusters = max(2, len(own) // rows_per_centroid)
            means = faiss.Kmeans(own.shape[1], clusters, niter=8, spherical=True, seed=SEED, min_points_per_centroid=1)
            means.train(own)
            centroids.append(np.asarray(means.centroids, np.float32))
            kinds.extend([kind] * clusters)
    return np.concatenate(centroids), np.array(kinds, np.uint8)


def _nearest_centroid(
    table: AttributeTable, vectors: Vector, centroids: Vector, centroid_kind: NDArray[np.uint8]
) -> Rows:
    nearest = np.full(len(table), -1, np.int64)
    for kind in np.unique(centroid_kind):
        rows, places = np.flatnonzero(table.kind == kind), np.flatnonzero(centroid_kind == kind)
        _, found = faiss.knn(vectors[rows], centroids[places], 1, metric=faiss.METRIC_INNER_PRODUCT)
        nearest[rows] = places[found[:, 0]]
    return nearest


def _calibrated(layout: Layout, table: AttributeTable, vectors: Vector) -> Layout:
    """Return the layout with, for each kind that has centroids, the fewest probes that reach the wanted recall.

    Measured with rows of the other kind as queries (of its own where there is no other), against exact search.
    """
    probes = layout.probes.copy()
    for kind in np.unique(layout.centroid_kind).tolist():
        others = np.flatnonzero(table.kind != kind)
        pool = others if len(others) else np.arange(len(table))
        chosen = np.random.default_rng(SEED).choice(pool, min(CALIBRATION_QUERIES, len(pool)), replace=False)
        probes[kind] = _fewest_probes(layout, kind, table.kind == kind, vectors, vectors[chosen])
    return replace(layout, probes=probes)


def _fewest_probes(layout: Layout, kind: int, keep: Mask, vectors: Vector, queries: Vector) -> int:
    """Return the fewest centroids whose rows hold the wanted share of the queries' nearest rows, on average."""
    own = np.flatnonzero(keep)
    depth = min(CALIBRATION_DEPTH, len(own))
    _, nearest = faiss.knn(queries, vectors[own], depth, metric=faiss.METRIC_INNER_PRODUCT)
    row_centroid = np.repeat(layout.list_centroid, np.diff(layout.starts))
    places = np.flatnonzero(layout.centroid_kind == kind)
    order = np.argsort(-(queries @ layout.centroids[places].T), axis=1)
    turn = np.argsort(order, axis=1)  # (q, c): when each centroid would be visited
    needed = np.take_along_axis(turn, row_centroid[own[nearest]] - places[0], axis=1)
    recall = np.cumsum(np.bincount(needed.ravel(), minlength=len(places))) / needed.size
    return int(np.searchsorted(recall, WANTED_RECALL)) + 1
