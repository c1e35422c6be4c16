"""Vectors of one snapshot in a faiss IVF whose lists are the cells of a layout.

Lists without a matching row are never read, and a search over few rows is exact. Only when more rows match than
`EXACT_ROWS` are lists left out by their centroid.
"""

from pathlib import Path
from typing import Any, cast

import faiss
import numpy as np

from models.attributes import Mask
from models.documents import Vector
from models.layout import EXACT_ROWS, Layout, Rows

NOTHING = np.empty(0, np.int64), np.empty(0, np.float32)


def write_vectors(path: Path, vectors: Vector, layout: Layout) -> None:
    """Write (n, d) float32 vectors, already in row order, as a faiss IVF of the layout's lists."""
    dimension, lists = vectors.shape[1], max(1, len(layout.starts) - 1)
    # The quantizer stays empty: which lists to read is always said from outside.
    quantizer = faiss.IndexFlatIP(dimension)
    index: Any = faiss.IndexIVFFlat(quantizer, dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True
    rows, codes = np.arange(len(vectors), dtype=np.int64), np.ascontiguousarray(vectors).view(np.uint8)
    for number, (start, end) in enumerate(zip(layout.starts[:-1].tolist(), layout.starts[1:].tolist(), strict=True)):
        pointers = faiss.swig_ptr(rows[start:end]), faiss.swig_ptr(codes[start:end])
        index.invlists.add_entries(number, end - start, *pointers)
    index.ntotal = len(vectors)
    faiss.write_index(index, str(path))


class CellIndex:
    """The memory-mapped vectors of one snapshot; safe for any number of reading threads."""

    def __init__(self, path: Path, layout: Layout, *, exact_rows: int = EXACT_ROWS) -> None:
        self._index = cast("Any", faiss.read_index(str(path), faiss.IO_FLAG_MMAP))
        lists = cast("Any", faiss.downcast_InvertedLists(self._index.invlists))
        # faiss would start 32 threads a search to read ahead what the page cache holds anyway.
        lists.prefetch_nthread = 0
        self._layout = layout
        self._sizes = np.diff(layout.starts)
        self._exact_rows = exact_rows

    @property
    def dimension(self) -> int:
        """Return the length of the vectors."""
        return int(self._index.d)

    @property
    def lists(self) -> int:
        """Return the number of lists in the faiss file."""
        return int(self._index.nlist)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vector, keep: Mask, limit: int, *, exact: bool = False) -> tuple[Rows, Vector]:
        """Return the `limit` kept rows nearest to a (d,) unit vector and their cosines, best first.

        `keep` is (n,) bool. Exact when asked to be, or when at most `exact_rows` rows are kept; else approximate.
        """
        if len(self._sizes) == 0:
            return NOTHING
        kept = np.add.reduceat(keep, self._layout.starts[:-1], dtype=np.int64)
        chosen = kept > 0
        if not exact and kept.sum() > self._exact_rows:
            chosen &= self._near_lists(vector)
        lists = np.flatnonzero(chosen)
        kept, whole = kept[lists], self._sizes[lists]
        return self._scan(vector, lists, None if np.array_equal(kept, whole) else keep, min(limit, int(kept.sum())))

    def _near_lists(self, vector: Vector) -> Mask:
        layout = self._layout
        near = np.zeros(len(layout.centroids) + 1, np.bool_)
        near[-1] = True  # lists without a centroid have place -1 and are always read
        cosines = layout.centroids @ vector
        for kind, probes in enumerate(layout.probes.tolist()):
            places = np.flatnonzero(layout.centroid_kind == kind)
            near[places[np.argsort(-cosines[places])[:probes]]] = True
        mask: Mask = near[layout.list_centroid]
        return mask

    def _scan(self, vector: Vector, lists: Rows, keep: Mask | None, limit: int) -> tuple[Rows, Vector]:
        if limit == 0:
            return NOTHING
        rows, cosines = np.empty(limit, np.int64), np.empty(limit, np.float32)
        query, list_terms = np.ascontiguousarray(vector, np.float32), np.zeros(len(lists), np.float32)
        parameters: Any = faiss.SearchParametersIVF()
        parameters.nprobe = len(lists)
        bits = np.packbits(np.empty(0, np.bool_) if keep is None else keep, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bits) * 8, faiss.swig_ptr(bits))
        parameters.sel = None if keep is None else selector
        # faiss's Python wrapper of this method refuses parameters; the call under it takes them.
        pointers = faiss.swig_ptr(lists), faiss.swig_ptr(list_terms), faiss.swig_ptr(cosines), faiss.swig_ptr(rows)
        self._index.search_preassigned_c(1, faiss.swig_ptr(query), limit, *pointers, False, parameters)
        found = rows >= 0
        return rows[found], cosines[found]
