"""How fast all managers get their nearest listings, measured on invented vectors beside faiss.knn."""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from models.blocks import nearest

Matrix = NDArray[np.float32]
TOPICS = 40
MIB = 1024 * 1024
TOLERANCE = 1e-5
CHECKED_ROWS = 50


def measure_recommending(
    *, managers: int, listings: int, dimension: int, top_k: int, rounds: int, seed: int
) -> dict[str, Any]:
    """Compare our blocks with faiss.knn on the same matrices, in turns, with the same threads for both.

    Both run on all cores with the libraries' own settings. The answer is checked against sorting in float64.
    """
    expertise, offered = _vectors(managers, dimension, seed), _vectors(listings, dimension, seed + 1)
    nearest(expertise[:CHECKED_ROWS], offered, top_k)  # both libraries start their threads outside the measured time
    faiss.knn(expertise[:CHECKED_ROWS], offered, top_k, metric=faiss.METRIC_INNER_PRODUCT)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: nearest(expertise, offered, top_k)))
        theirs.append(_seconds(lambda: faiss.knn(expertise, offered, top_k, metric=faiss.METRIC_INNER_PRODUCT)))
    seconds, faiss_seconds = float(np.median(ours)), float(np.median(theirs))
    return {
        "managers": managers,
        "listings": listings,
        "dimension": dimension,
        "top_k": top_k,
        "rounds": rounds,
        "seed": seed,
        "threads": faiss.omp_get_max_threads(),
        "seconds": round(seconds, 4),
        "faiss_knn_seconds": round(faiss_seconds, 4),
        "ratio_to_faiss_knn": round(faiss_seconds / seconds, 3),
        "is_exact": _is_exact(expertise, offered, top_k, seed),
        "peak_memory_mib": round(peak_memory_bytes() / MIB),
    }


def _vectors(count: int, dimension: int, seed: int) -> Matrix:
    """Return unit vectors that gather around topics, as those of texts do."""
    chance = np.random.default_rng(seed)
    topics = np.random.default_rng(TOPICS).standard_normal((TOPICS, dimension), dtype=np.float32)
    vectors = chance.standard_normal((count, dimension), dtype=np.float32) + topics[chance.integers(0, TOPICS, count)]
    normed: Matrix = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return normed


def _is_exact(expertise: Matrix, offered: Matrix, top_k: int, seed: int) -> bool:
    """Tell whether the k values of some rows are those that sorting all of them in float64 gives."""
    rows = np.random.default_rng(seed).choice(len(expertise), min(CHECKED_ROWS, len(expertise)), replace=False)
    scores, places = nearest(expertise, offered, top_k)
    whole = expertise[rows].astype(np.float64) @ offered.T.astype(np.float64)
    best = -np.sort(-whole, axis=1)[:, :top_k]
    said = np.take_along_axis(whole, places[rows], axis=1)
    return bool(np.allclose(best, said, atol=TOLERANCE) and np.allclose(best, scores[rows], atol=TOLERANCE))


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def peak_memory_bytes() -> int:
    """Return the most memory this process ever held; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
