"""What must always be true between tables, outbox and index. Each check yields one sentence per breach."""

from collections.abc import Callable, Iterator

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from backend.digests.operations import tally_edition
from backend.digests.tables import Digest, DigestEdition, DigestItem, DigestNotice
from backend.listings.tables import (
    DemandDetail,
    Kind,
    Listing,
    ListingEvent,
    ListingVersion,
    State,
    SupplyDetail,
)
from backend.mail.addresses import ledger_key
from backend.mail.tables import Bounce, DeliveryState, OutboxMessage
from backend.matching import repository as matching
from backend.matching.tables import ListingVector
from backend.platform import Platform

SHOWN = 20
UNIT_TOLERANCE = 1e-3
Check = Callable[[Session, Platform], Iterator[str]]


def find_breaches(session: Session, platform: Platform) -> list[str]:
    """Run every check and return what is broken; empty when all is well."""
    return [breach for check in CHECKS for breach in check(session, platform)]


def database_is_sound(session: Session, platform: Platform) -> Iterator[str]:
    """Ask SQLite for damaged pages and dangling references; PostgreSQL keeps both by itself."""
    if not platform.settings.is_sqlite:
        return
    verdict = session.connection().exec_driver_sql("PRAGMA integrity_check").scalars().all()
    if verdict != ["ok"]:
        yield f"数据库文件损坏：{verdict[0]}"
    for table, row, parent, _ in session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()[:SHOWN]:
        yield f"表 {table} 第 {row} 行指向不存在的 {parent}"


def listings_are_whole(session: Session, _platform: Platform) -> Iterator[str]:
    """A listing has the detail of its kind and no other, and the version it says it has."""
    for kind, own, other in ((Kind.SUPPLY, SupplyDetail, DemandDetail), (Kind.DEMAND, DemandDetail, SupplyDetail)):
        has_own = select(own.listing_id).where(own.listing_id == Listing.id).exists()
        has_other = select(other.listing_id).where(other.listing_id == Listing.id).exists()
        halves = select(Listing.id).where(Listing.kind == kind, sa.or_(~has_own, has_other))
        for listing_id in session.exec(halves.limit(SHOWN)):
            yield f"{kind.label} {listing_id} 的内容不完整"
    kept = select(ListingVersion.id).where(
        ListingVersion.listing_id == Listing.id, ListingVersion.version == Listing.version
    )
    for listing_id in session.exec(select(Listing.id).where(~kept.exists()).limit(SHOWN)):
        yield f"信息 {listing_id} 缺少当前版本的存档"


def states_have_histories(session: Session, _platform: Platform) -> Iterator[str]:
    """The last step of every listing's history ends in the state it is in; what is published has its dates."""
    latest = (
        select(ListingEvent.listing_id, func.max(ListingEvent.id).label("last"))
        .group_by(col(ListingEvent.listing_id))
        .subquery()
    )
    query = (
        select(Listing.id, Listing.state, ListingEvent.to_state)
        .outerjoin(latest, latest.c.listing_id == Listing.id)
        .outerjoin(ListingEvent, col(ListingEvent.id) == latest.c.last)
        .where(sa.or_(col(ListingEvent.id).is_(None), col(ListingEvent.to_state) != col(Listing.state)))
    )
    for listing_id, state, last in session.exec(query.limit(SHOWN)):
        yield f"信息 {listing_id} 的状态是“{State(state).label}”，历史却停在“{State(last).label if last else '空白'}”"
    undated = sa.or_(col(Listing.published_at).is_(None), col(Listing.expires_at).is_(None))
    for listing_id in session.exec(select(Listing.id).where(Listing.state == State.PUBLISHED, undated).limit(SHOWN)):
        yield f"已发布的信息 {listing_id} 没有发布或到期时间"


def vectors_fit(session: Session, platform: Platform) -> Iterator[str]:
    """Every published listing is embedded as it stands, once the worker has come to it; vectors have unit length."""
    for listing_id in matching.find_unembedded(session, encoder=platform.encoder.name, limit=SHOWN):
        yield f"已发布的信息 {listing_id} 没有向量；刚发布的请等后台进程算完再检查"
    rows = session.exec(select(ListingVector).where(ListingVector.encoder == platform.encoder.name))
    for row in rows:
        vector = matching.decode_vector(row.vector)
        length = float(np.linalg.norm(vector))
        if vector.shape != (row.dimension,) or (length and abs(length - 1) > UNIT_TOLERANCE):
            yield f"信息 {row.listing_id} 的向量有误：{vector.shape[0]} 维，长度 {length:.3f}"


def index_equals_database(session: Session, platform: Platform) -> Iterator[str]:
    """The index holds what is published and embedded, as it stands, and nothing else."""
    indexed = platform.index.current(session).content_hashes()
    published = dict(
        session.exec(
            select(Listing.id, Listing.content_hash)
            .join(ListingVector, col(ListingVector.listing_id) == Listing.id)
            .where(
                Listing.state == State.PUBLISHED,
                ListingVector.encoder == platform.encoder.name,
                ListingVector.content_hash == Listing.content_hash,
            )
        ).all()
    )
    expected = {str(listing_id): content_hash for listing_id, content_hash in published.items()}
    for listing_id in sorted(expected.keys() - indexed.keys())[:SHOWN]:
        yield f"索引里缺少信息 {listing_id}"
    for listing_id in sorted(indexed.keys() - expected.keys())[:SHOWN]:
        yield f"索引里多出信息 {listing_id}"
    for listing_id in sorted(expected.keys() & indexed.keys()):
        if expected[listing_id] != indexed[listing_id]:
            yield f"索引里的信息 {listing_id} 不是最新内容"


def outbox_is_consistent(session: Session, _platform: Platform) -> Iterator[str]:
    """A mail that was handed over says when; one that may repeat did so at most once."""
    settled = (DeliveryState.ACCEPTED, DeliveryState.REJECTED)
    for message in session.exec(select(OutboxMessage).where(col(OutboxMessage.state).in_(settled))):
        if message.settled_at is None:
            yield f"邮件 {message.key} 已有结果，却没有记录时间"
    handed = (DeliveryState.HANDED, DeliveryState.ACCEPTED)
    query = select(OutboxMessage.key).where(
        col(OutboxMessage.state).in_(handed), col(OutboxMessage.handed_at).is_(None)
    )
    for key in session.exec(query.limit(SHOWN)):
        yield f"邮件 {key} 已交付，却没有记录交付时间"
    for key in session.exec(select(OutboxMessage.key).where(OutboxMessage.repeats > 1).limit(SHOWN)):
        yield f"邮件 {key} 重复发送超过一次"


def digests_add_up(session: Session, _platform: Platform) -> Iterator[str]:
    """A digest is due, a mail in the outbox, or has a reason for being none; its items are of its own account.

    Every edition's readers are each in exactly one place.
    """
    for digest in session.exec(select(Digest)):
        if digest.is_due + (digest.skip_reason is not None) + (digest.outbox_key is not None) != 1:
            yield f"{digest.week} 的周报 {digest.id} 既没有邮件也没有理由，或不止有一样"
    for edition in session.exec(select(DigestEdition)):
        if not tally_edition(session, edition.week).adds_up:
            yield f"{edition.week} 的周报各处人数之和不等于应发人数"
    posted = select(OutboxMessage.id).where(OutboxMessage.key == Digest.outbox_key).exists()
    lost = select(Digest.outbox_key).where(col(Digest.outbox_key).is_not(None), ~posted)
    for key in session.exec(lost.limit(SHOWN)):
        yield f"周报邮件 {key} 不在发件箱里"
    for table in (DigestItem, DigestNotice):
        strays = select(table.id).join(Digest).where(table.account_id != Digest.account_id)
        for item in session.exec(strays.limit(SHOWN)):
            yield f"周报条目 {item} 属于另一个账号"


def bounces_are_counted_once(session: Session, _platform: Platform) -> Iterator[str]:
    """A bounce is of a mail that was handed over, and stands under that mail's own address."""
    query = select(Bounce, OutboxMessage).join(OutboxMessage, col(OutboxMessage.id) == Bounce.outbox_id)
    for bounce, message in session.exec(query):
        if ledger_key(message.recipient) != bounce.address:
            yield f"退信 {bounce.id} 记在了另一个地址名下"
        if message.handed_at is None:
            yield f"退信 {bounce.id} 的邮件从来没有交付过"


CHECKS: tuple[Check, ...] = (
    database_is_sound,
    listings_are_whole,
    states_have_histories,
    vectors_fit,
    index_equals_database,
    outbox_is_consistent,
    digests_add_up,
    bounces_are_counted_once,
)
