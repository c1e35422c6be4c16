"""What became of an edition, in numbers that add up: every reader is in exactly one place."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from backend.digests.tables import Digest, DigestEdition, SkipReason
from backend.mail.tables import DeliveryState, OutboxMessage

WAITING = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.HANDED})
OUTCOMES = {
    DeliveryState.ACCEPTED: "accepted",
    DeliveryState.REJECTED: "failed",
    DeliveryState.UNKNOWN: "failed",
}
MOST_DOMAINS = 20


@dataclass(frozen=True)
class Tally:
    """One edition: `eligible` readers were written down when it opened, and each is counted once below."""

    eligible: int = 0
    accepted: int = 0
    deferred: int = 0
    rejected: int = 0
    unknown: int = 0
    pending: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Return how many got no mail for a reason that is named."""
        return sum(self.suppressed.values())

    @property
    def adds_up(self) -> bool:
        """Tell whether every reader is in exactly one place."""
        sent = self.accepted + self.deferred + self.rejected + self.unknown + self.pending
        return self.eligible == sent + self.kept


@dataclass(frozen=True)
class DomainCount:
    """What became of an edition's mails to one mail domain."""

    domain: str
    total: int
    accepted: int
    waiting: int
    failed: int


def tally_edition(session: Session, week: str) -> Tally:
    """Count one edition."""
    eligible = session.exec(select(sa.func.count()).select_from(Digest).where(Digest.week == week)).one()
    state, reply = col(OutboxMessage.state), col(OutboxMessage.reply)
    why = sa.case((state == DeliveryState.SUPPRESSED, reply), else_="")
    query: sa.Select[Any] = (
        sa.select(col(Digest.is_due), col(Digest.skip_reason), state, why, sa.func.count())
        .outerjoin(OutboxMessage, col(OutboxMessage.key) == Digest.outbox_key)
        .where(col(Digest.week) == week)
        .group_by(col(Digest.is_due), col(Digest.skip_reason), state, why)
    )
    counts: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    for is_due, skip, where, kept, count in session.execute(query).all():
        if skip is not None:
            suppressed[SkipReason(skip).label] += count
        elif where is DeliveryState.SUPPRESSED:
            suppressed[kept or where.label] += count
        elif is_due or where in WAITING:
            counts["pending"] += count
        elif where is not None:
            counts[where.value] += count
    return Tally(eligible=eligible, suppressed=dict(sorted(suppressed.items())), **counts)


def count_domains(session: Session, week: str) -> Sequence[DomainCount]:
    """Count an edition's mails by the domain they went to, the largest first."""
    query = (
        select(OutboxMessage.recipient, OutboxMessage.state)
        .join(Digest, col(Digest.outbox_key) == OutboxMessage.key)
        .where(Digest.week == week, col(OutboxMessage.state) != DeliveryState.SUPPRESSED)
    )
    found: dict[str, Counter[str]] = {}
    for recipient, state in session.exec(query):
        kind = OUTCOMES.get(DeliveryState(state), "waiting")
        found.setdefault(recipient.rpartition("@")[2].lower(), Counter())[kind] += 1
    rows = [
        DomainCount(domain, counts.total(), counts["accepted"], counts["waiting"], counts["failed"])
        for domain, counts in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.total, row.domain))[:MOST_DOMAINS]


def list_editions(session: Session, *, limit: int, offset: int = 0) -> Sequence[DigestEdition]:
    """Return the latest editions."""
    query = select(DigestEdition).order_by(col(DigestEdition.week).desc())
    return session.exec(query.offset(offset).limit(limit)).all()


def count_editions(session: Session) -> int:
    """Return how many editions there were."""
    return session.exec(select(sa.func.count()).select_from(DigestEdition)).one()
