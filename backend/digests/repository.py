"""Every query of digests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from backend.accounts.tables import Account, Role
from backend.desk.tables import Case, JudgedPair, Progress, Recommendation
from backend.digests.tables import Digest, DigestEdition, DigestItem, DigestNotice, DigestSubscription
from backend.listings.tables import Listing, State
from backend.mail.tables import OutboxMessage
from backend.matching.tables import SavedSearch
from backend.web.pages import LOCAL_ZONE

SUPPLY, DEMAND = aliased(Listing, name="supply"), aliased(Listing, name="demand")
CHUNK = 500


def add_if_new(session: Session, row: SQLModel) -> bool:
    """Add a row unless one with the same key exists, also when that one is added at the same moment."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def find_edition(session: Session, week: str) -> DigestEdition | None:
    """Return the edition of a week, if it was opened."""
    return session.get(DigestEdition, week)


def find_subscription(session: Session, account_id: UUID) -> DigestSubscription | None:
    """Return how often an account wants its digest, if that was ever settled."""
    return session.get(DigestSubscription, account_id)


def find_by_token(session: Session, token: str) -> DigestSubscription | None:
    """Return the subscription of a token."""
    return session.exec(select(DigestSubscription).where(DigestSubscription.token == token)).first()


def lock_subscription(session: Session, *, token: str) -> DigestSubscription | None:
    """Return the subscription of a token, locked."""
    return session.exec(select(DigestSubscription).where(DigestSubscription.token == token).with_for_update()).first()


def find_digest(session: Session, account_id: UUID, week: str) -> Digest | None:
    """Return an account's digest of a week, if it was composed."""
    return session.exec(select(Digest).where(Digest.account_id == account_id, Digest.week == week)).first()


def find_digests(session: Session, account_id: UUID, *, limit: int, offset: int = 0) -> Sequence[Digest]:
    """Return an account's digests, the latest week first."""
    latest = col(Digest.week).desc(), col(Digest.id)
    query = select(Digest).where(Digest.account_id == account_id).order_by(*latest)
    return session.exec(query.offset(offset).limit(limit)).all()


def count_digests(session: Session, account_id: UUID) -> int:
    """Return how many digests an account has, those that said nothing included."""
    return session.exec(select(sa.func.count()).where(col(Digest.account_id) == account_id)).one()


def lock_digest(session: Session, account_id: UUID, week: str) -> Digest | None:
    """Return an account's digest of a week, which nobody else composes until this transaction ends."""
    query = select(Digest).where(Digest.account_id == account_id, Digest.week == week).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def find_by_outbox_key(session: Session, key: str) -> Digest | None:
    """Return the digest whose mail has this key in the outbox."""
    return session.exec(select(Digest).where(Digest.outbox_key == key)).first()


def find_recipient_ids(session: Session) -> Sequence[UUID]:
    """Return who may have a digest, in order of id: active managers, and active members whom it could tell something.

    Those have a published listing, or a saved search that is to be in the digest.
    """
    active = col(Account.confirmed_at).is_not(None), col(Account.suspended_at).is_(None)
    publishes = select(Listing.id).where(Listing.owner_id == Account.id, Listing.state == State.PUBLISHED).exists()
    searches = select(SavedSearch.id).where(SavedSearch.account_id == Account.id, col(SavedSearch.in_digest)).exists()
    has_part = sa.and_(col(Account.role) == Role.MEMBER, sa.or_(publishes, searches))
    reads = sa.or_(col(Account.role) == Role.MANAGER, has_part)
    return session.exec(select(Account.id).where(*active, reads).order_by(col(Account.id))).all()


def add_due(session: Session, week: str, account_ids: Sequence[UUID], *, now: datetime) -> None:
    """Write down that these accounts are to have a digest of a week; who is written down already stays as they are."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    for start in range(0, len(account_ids), CHUNK):
        rows: list[dict[str, Any]] = [
            {"id": uuid4(), "week": week, "account_id": account_id, "composed_at": now, "is_due": True}
            for account_id in account_ids[start : start + CHUNK]
        ]
        session.execute(insert(Digest).values(rows).on_conflict_do_nothing(index_elements=["week", "account_id"]))


def find_due_ids(session: Session, week: str) -> Sequence[UUID]:
    """Return the accounts whose digest of a week is still to be composed, in order of id."""
    query = select(Digest.account_id).where(Digest.week == week, col(Digest.is_due))
    return session.exec(query.order_by(col(Digest.account_id))).all()


def find_last_posted_week(session: Session, account_id: UUID, *, before: str) -> str | None:
    """Return the latest week before another in which an account got a mail."""
    query = select(Digest.week).where(
        Digest.account_id == account_id, Digest.week < before, col(Digest.outbox_key).is_not(None)
    )
    return session.exec(query.order_by(col(Digest.week).desc()).limit(1)).first()


def find_own_pairs(session: Session, account_id: UUID, *, limit: int) -> Sequence[JudgedPair]:
    """Return judged pairs of public listings of which one is an account's own, best first; not pairs with oneself."""
    is_own = (col(SUPPLY.owner_id) == account_id) != (col(DEMAND.owner_id) == account_id)
    query = (
        select(JudgedPair)
        .join(SUPPLY, col(SUPPLY.id) == JudgedPair.supply_id)
        .join(DEMAND, col(DEMAND.id) == JudgedPair.demand_id)
        .where(col(SUPPLY.state) == State.PUBLISHED, col(DEMAND.state) == State.PUBLISHED, is_own)
    )
    best = col(JudgedPair.score).desc(), col(JudgedPair.demand_id), col(JudgedPair.supply_id)
    return session.exec(query.order_by(*best).limit(limit)).all()


def find_ending_own(session: Session, account_id: UUID, *, now: datetime, until: datetime) -> Sequence[Listing]:
    """Return an account's published listings that end between two times, soonest first."""
    query = select(Listing).where(Listing.owner_id == account_id, *_ends(Listing, now, until))
    return session.exec(query.order_by(col(Listing.expires_at), col(Listing.id)).limit(CHUNK)).all()


def find_concerning(session: Session, manager_id: UUID, *, now: datetime, until: datetime) -> Sequence[Listing]:
    """Return published listings that end between two times and that a manager works on or is recommended."""
    cases = sa.and_(col(Case.manager_id) == manager_id, col(Case.closed_at).is_(None))
    waits = sa.and_(col(Recommendation.manager_id) == manager_id, col(Recommendation.progress) == Progress.OPEN)
    ids = [
        select(side).where(mine)
        for table, mine in ((Case, cases), (Recommendation, waits))
        for side in (col(table.supply_id), col(table.demand_id))
    ]
    query = select(Listing).where(col(Listing.id).in_(sa.union(*ids)), *_ends(Listing, now, until))
    return session.exec(query.order_by(col(Listing.expires_at), col(Listing.id)).limit(CHUNK)).all()


def _ends(table: type[Listing], now: datetime, until: datetime) -> tuple[Any, ...]:
    first, last = (moment.astimezone(LOCAL_ZONE).date() for moment in (now, until))
    runs_out = sa.and_(col(table.expires_at) > now, col(table.expires_at) <= until)
    closes = sa.and_(col(table.deadline_on) >= first, col(table.deadline_on) <= last)
    return col(table.state) == State.PUBLISHED, sa.or_(runs_out, closes)


def find_open_cases(session: Session, manager_id: UUID) -> Sequence[tuple[Case, Listing]]:
    """Return a manager's open cases, each with both of its listings in turn, the oldest case first."""
    sides = sa.or_(col(Listing.id) == Case.supply_id, col(Listing.id) == Case.demand_id)
    query = select(Case, Listing).join(Listing, sides).where(Case.manager_id == manager_id)
    oldest = col(Case.taken_at), col(Case.id), col(Listing.kind)
    return session.exec(query.where(col(Case.closed_at).is_(None)).order_by(*oldest).limit(CHUNK)).all()


def find_told(session: Session, account_id: UUID) -> frozenset[str]:
    """Return the keys of all notices that an account was ever told."""
    return frozenset(session.exec(select(DigestNotice.key).where(DigestNotice.account_id == account_id)))


def find_items(session: Session, digest_id: UUID) -> Sequence[DigestItem]:
    """Return the pairs of one digest, in order."""
    query = select(DigestItem).where(DigestItem.digest_id == digest_id)
    return session.exec(query.order_by(col(DigestItem.position), col(DigestItem.id))).all()


def find_notices(session: Session, digest_id: UUID) -> Sequence[DigestNotice]:
    """Return the notices of one digest, in order."""
    query = select(DigestNotice).where(DigestNotice.digest_id == digest_id)
    return session.exec(query.order_by(col(DigestNotice.position), col(DigestNotice.id))).all()


def find_published(session: Session, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of these listings that are published now."""
    query = select(Listing.id).where(col(Listing.id).in_(ids), Listing.state == State.PUBLISHED)
    return frozenset(session.exec(query))


def find_shown(session: Session, account_id: UUID) -> frozenset[tuple[UUID, UUID, str]]:
    """Return what an account was ever shown in a digest: supply, demand, fingerprint."""
    query = select(DigestItem).where(DigestItem.account_id == account_id)
    return frozenset((item.supply_id, item.demand_id, item.fingerprint) for item in session.exec(query))


def count_items(session: Session, digest_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Return how many pairs each of these digests showed."""
    query = select(DigestItem.digest_id, sa.func.count()).where(col(DigestItem.digest_id).in_(digest_ids))
    return dict(session.exec(query.group_by(col(DigestItem.digest_id))).all())


def count_by_outcome(session: Session, week: str) -> Mapping[str, int]:
    """Return how many digests of a week were posted (""), and how many left out for each reason."""
    query = select(Digest.skip_reason, sa.func.count()).where(Digest.week == week).group_by(col(Digest.skip_reason))
    return {str(reason or ""): count for reason, count in session.exec(query)}


def find_mails(session: Session, keys: Sequence[str]) -> Mapping[str, OutboxMessage]:
    """Return the mails of these keys, without what they say."""
    heavy = (sa.orm.defer(getattr(OutboxMessage, name)) for name in ("body_text", "body_html"))
    query = select(OutboxMessage).where(col(OutboxMessage.key).in_(keys)).options(*heavy)
    return {message.key: message for message in session.exec(query)}
