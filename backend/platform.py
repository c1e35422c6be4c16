"""The parts of a running platform, handed to web, worker and shell alike. `assembly` joins them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.engine import Engine
from sqlmodel import Session

from backend.database import read_only, reading, transaction
from backend.jobs.registry import JobQueue
from backend.mail.mailer import Mailer
from backend.policy.catalogue import Catalogue
from backend.settings import Settings
from models.cross_encoder import CrossEncoder
from models.encoder import Encoder
from models.index import Index
from models.relevance import PairScorer

Clock = Callable[[], datetime]


class FollowedIndex(Protocol):
    """The index of this process, as early domains may know it; the matching domain implements it."""

    def current(self, session: Session) -> Index:
        """Return the index with every change in it that the session's database has committed."""

    def rebuild(self, session: Session) -> int:
        """Write a new snapshot of all that is published and embedded, and return how many that is."""


@dataclass(frozen=True)
class Platform:
    """What a request, a job or a command may use. Parts hold no state of a request."""

    settings: Settings
    database: Engine
    catalogue: Catalogue
    encoder: Encoder
    scorer: PairScorer
    index: FollowedIndex
    mailer: Mailer
    queue: JobQueue
    clock: Clock
    cross_encoder: CrossEncoder | None = None

    @property
    def judging(self) -> str:
        """Return the name of all that judges and orders pairs: what was kept under another name is stale."""
        return f"{self.scorer.name}+{self.cross_encoder.name}" if self.cross_encoder else self.scorer.name

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a session that commits when its block ends well and can queue jobs."""
        return transaction(self.database, queue=self.queue)

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that the database keeps from writing."""
        return reading(self.database)

    def sessions(self, *, is_safe: bool) -> Iterator[Session]:
        """Yield the session of one request and commit it afterwards, unless the request may only read."""
        engine = read_only(self.database) if is_safe else self.database
        with Session(engine, expire_on_commit=False, info={"queue": self.queue}) as session:
            yield session
            session.commit()
