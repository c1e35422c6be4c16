"""Is this process alive, and can it serve? For load balancers and those who watch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from backend.accounts.dependencies import PlatformDep
from backend.listings.tables import Listing, State
from backend.matching.tables import ListingVector
from backend.platform import Platform

log = structlog.get_logger()
router = APIRouter()
# A worker follows a change within a second; what is published for longer than this and not found is a fault.
SETTLING = timedelta(minutes=2)


@dataclass(frozen=True)
class Level:
    """How the index stands to the database: documents in it, listings that should be, and those of them long due."""

    documents: int
    expected: int
    due: int

    @property
    def is_equal(self) -> bool:
        """Tell whether the index has exactly what is published and embedded."""
        return self.documents == self.expected

    @property
    def is_sufficient(self) -> bool:
        """Tell whether nothing is missing for long; what is too much is never shown, the database sees to that."""
        return self.documents >= self.due


@router.get("/healthz", name="site.alive")
def alive() -> JSONResponse:
    """Answer as long as the process lives."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", name="site.ready")
def ready(platform: PlatformDep) -> JSONResponse:
    """Answer whether the database answers and the index holds what it should."""
    try:
        with platform.reading() as session:
            level = measure_level(session, platform, now=platform.clock())
    except (SQLAlchemyError, OSError, RuntimeError) as error:
        log.exception("ready.failed", error=repr(error))
        return JSONResponse({"status": "unavailable", "database": False, "index": None}, status_code=503)
    index = {"documents": level.documents, "expected": level.expected, "equal": level.is_equal}
    status = "ready" if level.is_equal else "catching_up" if level.is_sufficient else "behind"
    answer = {"status": status, "database": True, "index": index}
    return JSONResponse(answer, status_code=200 if level.is_sufficient else 503)


def measure_level(session: Session, platform: Platform, *, now: datetime) -> Level:
    """Count what the index has and what the database says it should have."""
    embedded = (
        sa.select(sa.func.count())
        .select_from(Listing)
        .join(ListingVector, col(ListingVector.listing_id) == col(Listing.id))
        .where(col(Listing.state) == State.PUBLISHED, col(ListingVector.encoder) == platform.encoder.name)
    )
    settled = embedded.where(col(Listing.published_at) < now - SETTLING)
    due, expected = (session.connection().execute(query).scalar_one() for query in (settled, embedded))
    return Level(platform.index.current(session).count(), expected, due)
