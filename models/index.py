"""The search engine of one process: a snapshot on disk, changes in memory, one writer at a time and any readers."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Self

from models.bm25 import Tokenize, field_tokens
from models.documents import ANY, Candidate, Change, Dimension, IndexDocument, IndexFilter, Upsert, Vector, check_vector
from models.generations import current_name
from models.snapshot import DEFAULT_TUNING, Identity, Snapshot, Tuning, open_snapshot, write_snapshot
from models.view import View

MOST_CHANGES = 500  # above this, and a tenth of the documents, words in memory cost a query more than words on disk


class Index:
    """Documents under filters, found by meaning and by words.

    A reader takes the current view and asks it alone, so it sees a group of changes whole or not at all.
    Writers take turns.
    """

    def __init__(
        self, folder: Path, snapshot: Snapshot, *, identity: Identity, tokenize: Tokenize, tuning: Tuning
    ) -> None:
        self._folder, self._identity, self._tokenize, self._tuning = folder, identity, tokenize, tuning
        self._writing, self._reloading = Lock(), Lock()
        self._changes: dict[str, Change] = {}
        self._view = View.of(snapshot, tuning.boosts)
        self._sequence = snapshot.sequence

    @classmethod
    def open(cls, folder: Path, *, identity: Identity, tokenize: Tokenize, tuning: Tuning = DEFAULT_TUNING) -> Self:
        """Open the current snapshot of a folder after verifying every byte of it.

        Raises: SnapshotRefused, with its reason; then `build` one from the database.
        """
        snapshot = open_snapshot(folder, identity=identity, tuning=tuning)
        return cls(folder, snapshot, identity=identity, tokenize=tokenize, tuning=tuning)

    @classmethod
    def build(
        cls,
        folder: Path,
        documents: Iterable[IndexDocument],
        *,
        sequence: int,
        identity: Identity,
        tokenize: Tokenize,
        tuning: Tuning = DEFAULT_TUNING,
    ) -> Self:
        """Write a new snapshot of all documents, as of change number `sequence`, and open it."""
        write_snapshot(folder, documents, sequence=sequence, identity=identity, tokenize=tokenize, tuning=tuning)
        return cls.open(folder, identity=identity, tokenize=tokenize, tuning=tuning)

    @property
    def sequence(self) -> int:
        """Return the highest change number that queries see."""
        return self._sequence

    @property
    def snapshot_name(self) -> str:
        """Return the name of the snapshot being served."""
        return self._view.snapshot.name

    @property
    def needs_rebuild(self) -> bool:
        """Whether so much has changed since the snapshot that a new one is worth writing."""
        view = self._view
        return view.deaths + len(view.delta) > max(MOST_CHANGES, len(view.alive) // 10)

    def rebuild(self, documents: Iterable[IndexDocument], *, sequence: int) -> None:
        """Write a new snapshot of all documents, as of change number `sequence`, and switch to it.

        Queries and changes go on meanwhile; changes after `sequence` are kept.
        """
        write_snapshot(
            self._folder,
            documents,
            sequence=sequence,
            identity=self._identity,
            tokenize=self._tokenize,
            tuning=self._tuning,
        )
        self.reload()

    def reload(self) -> bool:
        """Switch to the folder's current snapshot if it is another than the one served; return whether it was.

        Changes seen here that are later than the snapshot stay visible.
        Raises: SnapshotRefused; the served snapshot then stays.
        """
        with self._reloading:
            if current_name(self._folder) == self.snapshot_name:
                return False
            # Verifying takes a while: changes go on meanwhile.
            self._adopt(open_snapshot(self._folder, identity=self._identity, tuning=self._tuning))
            return True

    def _adopt(self, snapshot: Snapshot) -> None:
        with self._writing:
            later = {id_: change for id_, change in self._changes.items() if change.sequence > snapshot.sequence}
            self._view = self._changed(View.of(snapshot, self._tuning.boosts), later)
            self._changes = later
            self._sequence = max([snapshot.sequence, *(change.sequence for change in later.values())])

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes visible to the next query, all at once; for one id the highest sequence wins.

        Raises: ValueError for a vector of another dimension; then nothing has changed.
        """
        with self._writing:
            latest: dict[str, Change] = {}
            for change in changes:
                known = latest.get(change.id) or self._changes.get(change.id)
                if known is None or change.sequence > known.sequence:
                    latest[change.id] = change
            self._view = self._changed(self._view, latest)
            self._changes = self._changes | latest
            self._sequence = max([self._sequence, *(change.sequence for change in latest.values())])

    def _changed(self, view: View, latest: Mapping[str, Change]) -> View:
        documents = [change.document for change in latest.values() if isinstance(change, Upsert)]
        for document in documents:
            check_vector(document.vector, self._identity.dimension)
        tokens = [field_tokens(document, self._tokenize) for document in documents]
        return view.changed(list(latest), documents, tokens)

    def retrieve(
        self, vector: Vector | None, terms: Mapping[str, float], where: IndexFilter = ANY, limit: int = 200
    ) -> list[Candidate]:
        """Return the best `limit` by cosine and the best `limit` by BM25, fused, best first.

        Raises: ValueError for a vector of another dimension or length, or a negative limit.
        """
        if vector is not None:
            check_vector(vector, self._identity.dimension)
        return self._view.retrieve(vector, terms, where, limit) if _some(limit) else []

    def neighbours(self, vector: Vector, where: IndexFilter = ANY, limit: int = 20) -> list[tuple[str, float]]:
        """Return the ids nearest to a (d,) unit vector with their cosines, best first.

        Raises: ValueError for a vector of another dimension or length, or a negative limit.
        """
        check_vector(vector, self._identity.dimension)
        return self._view.neighbours(vector, where, limit) if _some(limit) else []

    def count(self, where: IndexFilter = ANY) -> int:
        """Return how many documents pass a filter, exactly."""
        return self._view.count(where)

    def facet_counts(self, where: IndexFilter, dimension: Dimension) -> dict[str, int]:
        """Return how many documents under a filter have each value of a dimension, exactly and without zeros."""
        return self._view.facet_counts(where, dimension)

    def content_hashes(self) -> dict[str, str]:
        """Return the content hash of every document by id."""
        return self._view.content_hashes()


def _some(limit: int) -> bool:
    if limit < 0:
        raise ValueError(f"a limit is at least 0: {limit}")
    return limit > 0
