"""An invented market in a temporary database, written at once: what the measurements of the desk stand on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel import Session, SQLModel

from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.assembly import build_platform
from backend.desk.tables import ManagerProfile, Recommendation
from backend.listings.tables import DemandDetail, Kind, Listing, State, SupplyDetail
from backend.migrations.upgrade import upgrade_database
from backend.platform import Platform
from backend.settings import Settings

CHUNK = 2000
TOPICS = ("高盐废水电渗析浓缩", "固态电池硫化物电解质", "脑电信号解码算法", "单克隆抗体连续纯化", "毫米波相控阵天线")
PLACES = ("110108", "120116", "130200", "130600", "110115", "120104")


@dataclass(frozen=True)
class Market:
    """What was invented: supplies and demands in pairs, and the managers."""

    supplies: Sequence[UUID]
    demands: Sequence[UUID]
    managers: Sequence[Account]


@contextmanager
def temporary_platform(database_url: str = "") -> Iterator[Platform]:
    """Join a platform over an empty database that is gone afterwards, or over one that is given."""
    with TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder),
            database_url=database_url,
            secret_key=SecretStr(uuid4().hex * 2),
            log_level="ERROR",
        )
        platform = build_platform(settings)
        upgrade_database(platform.database)
        yield platform
        platform.database.dispose()


def invent_market(platform: Platform, *, listings: int, managers: int) -> Market:
    """Write so many published listings, half of each kind, and managers who can take many cases."""
    now = platform.clock()
    long_ago = now - timedelta(days=60)
    with platform.transaction() as session:
        organisation = Organisation(
            name=f"测量单位{uuid4().hex[:8]}", kind=OrganisationKind.COMPANY, region_code="110108", created_at=long_ago
        )
        session.add(organisation)
        session.flush()
        owner, *people = (_account(session, role, platform) for role in [Role.MEMBER, *[Role.MANAGER] * managers])
        for one in people:
            session.add(ManagerProfile(account_id=one.id, capacity=200, updated_at=now))
        session.flush()
        kinds = {Kind.SUPPLY: listings - listings // 2, Kind.DEMAND: listings // 2}
        made = {
            kind: [_listing(kind, number, owner, organisation, platform) for number in range(count)]
            for kind, count in kinds.items()
        }
        for kind, detail in ((Kind.SUPPLY, SupplyDetail), (Kind.DEMAND, DemandDetail)):
            _insert(session, Listing, made[kind])
            extra = {"ip_kinds": []} if kind is Kind.SUPPLY else {"wants_regions": [], "baseline": ""}
            more = {} if kind is Kind.SUPPLY else {"hopes_for_voucher": False}
            _insert(session, detail, [{"listing_id": row["id"], **extra, **more} for row in made[kind]])
    ids = {kind: [row["id"] for row in rows] for kind, rows in made.items()}
    return Market(ids[Kind.SUPPLY], ids[Kind.DEMAND], people)


def recommend_pairs(session: Session, manager: Account, pairs: Sequence[tuple[UUID, UUID]], platform: Platform) -> None:
    """Put pairs of supply and demand into a manager's queue."""
    session.add_all(
        Recommendation(
            manager_id=manager.id,
            supply_id=supply,
            demand_id=demand,
            level="fair",
            score=1.0 - place / (len(pairs) + 1),
            reason="跨省市的一对",
            fingerprint="0" * 64,
            made_at=platform.clock(),
        )
        for place, (supply, demand) in enumerate(pairs)
    )
    session.flush()


def _account(session: Session, role: Role, platform: Platform) -> Account:
    email = f"{uuid4().hex}@example.com"
    now = platform.clock()
    account = Account(
        email=email,
        email_key=email,
        password_hash="never matches",  # noqa: S106 - nobody signs in with it
        display_name="测量账号",
        role=role,
        created_at=now,
        confirmed_at=now,
    )
    session.add(account)
    session.flush()
    return account


def _listing(kind: Kind, number: int, owner: Account, organisation: Organisation, platform: Platform) -> dict[str, Any]:
    topic, now = TOPICS[number % len(TOPICS)], platform.clock()
    text = f"{topic}，第 {number} 条。处理能力达到 {number % 90 + 10} 吨，已连续运行 {number % 300} 天。"
    listing = Listing(
        kind=kind,
        state=State.PUBLISHED,
        owner_id=owner.id,
        organisation_id=organisation.id,
        title=f"{topic}{number}",
        summary=text,
        description="\n".join([text] * 5),
        region_code=PLACES[(number + (kind is Kind.DEMAND)) % len(PLACES)],
        keywords=[topic],
        content_hash=f"{number:064x}",
        created_at=now,
        updated_at=now,
        published_at=now,
    )
    return listing.model_dump()


def _insert(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        session.connection().execute(sa.insert(table), list(rows[start : start + CHUNK]))
