"""The contents of one snapshot of the index: vectors, words and attributes in one order of rows.

vectors.faiss   rows.npz (ids, content hashes, attributes, codes, layout)   words/ (tantivy)
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.attributes import AttributeTable, Codebook, decode_strings, encode_strings
from models.bm25 import DEFAULT_BOOSTS, TEXT_FIELDS, FieldBoosts, Tokenize, field_tokens, mean_lengths
from models.dense import CellIndex, write_vectors
from models.documents import IndexDocument, check_vector
from models.generations import Refusal, SnapshotRefused, current_name, publish, verified
from models.layout import EXACT_ROWS, ROWS_PER_CENTROID, Layout, plan_layout
from models.lexical import WordIndex, write_words

VECTORS, ROWS, WORDS = "vectors.faiss", "rows.npz", "words"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the contents of an index depend on besides the documents."""

    encoder: str
    """Name and revision of the encoder."""
    dimension: int
    analysis: str
    """Name and revision of the normal form and the tokenizer."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How an index is laid out and searched; the defaults were measured."""

    boosts: FieldBoosts = DEFAULT_BOOSTS
    exact_rows: int = EXACT_ROWS
    """A search over at most so many rows is exact."""
    rows_per_centroid: int = ROWS_PER_CENTROID
    """How finely the cells of a kind with more than `exact_rows` rows are divided."""
    threads: int = 1
    """Threads that write the words of a snapshot."""


DEFAULT_TUNING = Tuning()


@dataclass(frozen=True)
class Snapshot:
    """An open snapshot; nothing in it changes."""

    name: str
    sequence: int
    """The last change of the database that is inside."""
    ids: Sequence[str]
    content_hashes: Sequence[str]
    rows: Mapping[str, int]
    """The row of each id."""
    table: AttributeTable
    book: Codebook
    vectors: CellIndex
    words: WordIndex


def write_snapshot(
    folder: Path,
    documents: Iterable[IndexDocument],
    *,
    identity: Identity,
    sequence: int,
    tokenize: Tokenize,
    tuning: Tuning = DEFAULT_TUNING,
) -> str:
    """Write all documents as the folder's new current snapshot and return its name.

    `sequence` is a change of the database that the documents contain together with all before it.
    Raises: ValueError for a document that does not fit the identity or comes twice.
    """
    known = {document.id: document for document in _fitting(documents, identity)}

    def fill(workspace: Path) -> dict[str, Any]:
        means = _write_contents(workspace, list(known.values()), identity, tokenize, tuning)
        facts: dict[str, Any] = asdict(identity)
        digest = ids_digest({id_: document.content_hash for id_, document in known.items()})
        return facts | {"sequence": sequence, "count": len(known), "ids_sha256": digest, "mean_lengths": means}

    return publish(folder, sequence, fill)


def open_snapshot(folder: Path, *, identity: Identity, tuning: Tuning = DEFAULT_TUNING) -> Snapshot:
    """Open the folder's current snapshot after verifying all of it.

    Raises: SnapshotRefused when it is missing, damaged, of another encoder or analysis, or of a later format.
    """
    while True:
        name = current_name(folder)
        try:
            return _open(*verified(folder, name), identity, tuning)
        except SnapshotRefused:
            if current_name(folder) == name:
                raise
            # Another process switched, twice perhaps, while this one was reading: read what is current now.


def ids_digest(content_hashes: Mapping[str, str]) -> str:
    """Return one checksum of the set of (id, content hash): equal sets, equal checksums."""
    lines = sorted(f"{id_}\t{content_hash}\n" for id_, content_hash in content_hashes.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _fitting(documents: Iterable[IndexDocument], identity: Identity) -> Iterator[IndexDocument]:
    seen: set[str] = set()
    for document in documents:
        check_vector(document.vector, identity.dimension)
        if document.id in seen:
            raise ValueError(f"two documents have the id {document.id!r}")
        seen.add(document.id)
        yield document


def _write_contents(
    workspace: Path, documents: Sequence[IndexDocument], identity: Identity, tokenize: Tokenize, tuning: Tuning
) -> list[float]:
    """Write the files of a snapshot and return the mean length of each text field in tokens."""
    book = Codebook().extended(documents)
    table = AttributeTable.of(documents, book)
    vectors = np.array([document.vector for document in documents], np.float32).reshape(-1, identity.dimension)
    order, layout = plan_layout(
        table, book, vectors, exact_rows=tuning.exact_rows, rows_per_centroid=tuning.rows_per_centroid
    )
    write_vectors(workspace / VECTORS, vectors[order], layout)
    ordered = [documents[place] for place in order.tolist()]
    arrays: dict[str, Any] = {
        "ids": encode_strings(document.id for document in ordered),
        "content_hashes": encode_strings(document.content_hash for document in ordered),
    }
    arrays |= layout.as_arrays() | book.as_arrays() | table.take(order).as_arrays()
    np.savez(workspace / ROWS, **arrays)
    return _write_words(workspace / WORDS, ordered, tokenize, tuning)


def _write_words(folder: Path, documents: Sequence[IndexDocument], tokenize: Tokenize, tuning: Tuning) -> list[float]:
    totals = [0] * len(TEXT_FIELDS)

    def entries() -> Iterator[tuple[IndexDocument, tuple[list[str], ...]]]:
        for document in documents:
            tokens = field_tokens(document, tokenize)
            totals[:] = [total + len(words) for total, words in zip(totals, tokens, strict=True)]
            yield document, tokens

    folder.mkdir()
    write_words(folder, entries(), threads=tuning.threads)
    return list(mean_lengths(totals, len(documents)))


def _open(folder: Path, facts: Mapping[str, Any], identity: Identity, tuning: Tuning) -> Snapshot:
    found = Identity(facts["encoder"], facts["dimension"], facts["analysis"])
    if found != identity:
        raise SnapshotRefused(Refusal.FOREIGN, f"{found} instead of {identity}")
    try:
        snapshot = _load(folder, facts, tuning)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise SnapshotRefused(Refusal.DAMAGED, f"{folder.name}: {error}") from error
    sizes = {len(snapshot.ids), len(snapshot.rows), len(snapshot.table), len(snapshot.vectors), len(snapshot.words)}
    digest = ids_digest(dict(zip(snapshot.ids, snapshot.content_hashes, strict=True)))
    if sizes != {facts["count"]} or digest != facts["ids_sha256"] or snapshot.vectors.dimension != identity.dimension:
        raise SnapshotRefused(Refusal.DAMAGED, f"{folder.name}: its parts do not agree")
    return snapshot


def _load(folder: Path, facts: Mapping[str, Any], tuning: Tuning) -> Snapshot:
    with np.load(folder / ROWS, allow_pickle=False) as archive:
        arrays = dict(archive)
    ids = decode_strings(arrays["ids"])
    return Snapshot(
        name=folder.name,
        sequence=facts["sequence"],
        ids=ids,
        content_hashes=decode_strings(arrays["content_hashes"]),
        rows={id_: row for row, id_ in enumerate(ids)},
        table=AttributeTable.from_arrays(arrays),
        book=Codebook.from_arrays(arrays),
        vectors=CellIndex(folder / VECTORS, Layout.from_arrays(arrays), exact_rows=tuning.exact_rows),
        words=WordIndex(folder / WORDS, tuple(facts["mean_lengths"]), boosts=tuning.boosts),
    )
