"""The index of one process, kept level with the database: the database is the truth, the index a view of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.listings import repository as listings
from backend.matching import repository
from backend.matching.documents import make_document
from models.documents import Change, IndexDocument, Remove, Upsert
from models.encoder import Encoder
from models.generations import SnapshotRefused
from models.index import Index
from models.snapshot import Identity
from models.text import ANALYSIS, tokens

log = structlog.get_logger()
PAGE = 500


class IndexFollower:
    """Open the index at first use, then bring it up to the last committed change before every use."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._folder = folder
        self._encoder = encoder.name
        self._identity = Identity(encoder=encoder.name, dimension=encoder.dimension, analysis=ANALYSIS)
        self._opening = Lock()
        self._following = Lock()
        self._index: Index | None = None

    def current(self, session: Session) -> Index:
        """Return the index with every change in it that the session's database has committed."""
        index = self._index or self._open(session)
        last = repository.last_change(session)
        if last > index.sequence:
            with self._following:
                self._follow(session, index, last)
        return index

    def rebuild(self, session: Session) -> int:
        """Write a new snapshot of all that is published and embedded, switch to it, and return how many that is."""
        sequence = repository.last_change(session)
        documents = list(self._all_documents(session))
        index = Index.build(self._folder, documents, sequence=sequence, identity=self._identity, tokenize=tokens)
        self._index = index
        log.info("index.rebuilt", documents=len(documents), sequence=sequence, snapshot=index.snapshot_name)
        return len(documents)

    def _open(self, session: Session) -> Index:
        with self._opening:
            if self._index is not None:
                return self._index
            try:
                self._index = Index.open(self._folder, identity=self._identity, tokenize=tokens)
            except SnapshotRefused as refusal:
                log.warning("index.refused", reason=refusal.reason.value, detail=refusal.detail)
                self.rebuild(session)
            if self._index is None:
                raise RuntimeError("the index was neither opened nor built")
            return self._index

    def _follow(self, session: Session, index: Index, last: int) -> None:
        self._reload_newer_snapshot(index)
        while index.sequence < last:
            changes = repository.find_changes(session, after=index.sequence, limit=PAGE)
            if not changes:
                return
            latest = {change.listing_id: change.seq or 0 for change in changes}
            documents = {document.id: document for document in self._documents(session, list(latest))}
            index.apply([_change(listing_id, sequence, documents) for listing_id, sequence in latest.items()])

    def _reload_newer_snapshot(self, index: Index) -> None:
        try:
            index.reload()
        except SnapshotRefused as refusal:
            log.warning("index.reload_refused", reason=refusal.reason.value, detail=refusal.detail)

    def _all_documents(self, session: Session) -> Iterator[IndexDocument]:
        ids = listings.find_published_ids(session)
        for start in range(0, len(ids), PAGE):
            yield from self._documents(session, ids[start : start + PAGE])

    def _documents(self, session: Session, ids: Sequence[UUID]) -> list[IndexDocument]:
        """Return the documents of those of these listings that are published and embedded as they stand."""
        bundles = listings.load_bundles(session, ids)
        vectors = repository.load_vectors(session, ids, encoder=self._encoder)
        return [
            make_document(bundle, vectors[listing_id])
            for listing_id, bundle in bundles.items()
            if bundle.is_visible and listing_id in vectors
        ]


def _change(listing_id: UUID, sequence: int, documents: dict[str, IndexDocument]) -> Change:
    document = documents.get(str(listing_id))
    return Upsert(sequence, document) if document else Remove(sequence, str(listing_id))
