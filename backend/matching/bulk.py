"""Many listings at once: embedded together in the transaction that makes them, instead of one job each."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.jobs.registry import Job, JobQueue
from backend.listings import repository as listings
from backend.matching import indexing, repository
from models.encoder import Encoder

FOLLOW = "matching.follow"
# Whoever brings many listings in reads the report of it; a mail for each would only bury it.
NOT_NEEDED = frozenset({"listings.tell_owner"})


class BulkQueue:
    """A queue that notes which listings the index must follow and passes everything else on."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._listing_ids: dict[UUID, None] = {}

    def put(
        self, session: Session, job: Job, payload: Mapping[str, str], *, key: str | None, delay_seconds: float
    ) -> None:
        """Note a listing to follow, leave out what nobody needs, hand on the rest."""
        if job.name == FOLLOW:
            self._listing_ids[UUID(payload["listing_id"])] = None
        elif job.name not in NOT_NEEDED:
            self._queue.put(session, job, payload, key=key, delay_seconds=delay_seconds)

    def follow_noted(self, session: Session, *, encoder: Encoder, now: datetime) -> int:
        """Embed what was noted and announce it, as the jobs would have; return how many listings that were."""
        noted = list(self._listing_ids)
        bundles = listings.load_bundles(session, noted)
        indexing.embed(session, [bundle for bundle in bundles.values() if bundle.is_visible], encoder=encoder, now=now)
        for listing_id in noted:
            repository.append_change(session, listing_id, now=now)
        self._listing_ids.clear()
        return len(noted)
