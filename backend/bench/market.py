"""A small invented market with many readers of the digest, in a folder of its own: what the benches run on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Session, select

from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.assembly import build_platform
from backend.database import build_engine
from backend.desk import runs
from backend.listings import service as listings
from backend.listings.forms import ListingForm
from backend.listings.tables import Kind
from backend.matching import indexing
from backend.migrations.upgrade import upgrade_database
from backend.platform import Clock, Platform
from backend.settings import Settings

MONDAY = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 08:30 in Beijing, ISO week 2026-W48
TOPICS = (
    "高盐废水电渗析浓缩", "固态电池硫化物电解质", "脑电信号解码算法", "单克隆抗体连续纯化", "丹参酮组分近红外检测",
    "毫米波相控阵天线", "车规级实时操作系统", "钢渣微粉高强掺合料", "类器官药物筛选芯片", "黄芪多糖膜分离提取",
    "卫星激光通信终端", "氢燃料电池双极板涂层",
)  # fmt: skip
DOMAINS = ("qq.example", "163.example", "126.example", "example.com", "univ.example")


def make_platform(settings: Settings, *, clock: Clock, is_pooled: bool = False) -> Platform:
    """Join a platform over a migrated database; its connections are pooled, as a worker's are, if that is asked."""
    engine = build_engine(settings.database_url, is_pooled=is_pooled)
    upgrade_database(engine)
    return build_platform(settings, database=engine, clock=clock)


def make_settings(folder: Path, *, database_url: str = "", smtp_port: int = 25) -> Settings:
    """Return settings that concern nothing outside a folder; the environment is not asked."""
    return Settings.model_validate(
        {
            "data_dir": folder,
            "database_url": database_url,
            "mailer": "smtp",
            "smtp_port": smtp_port,
            "smtp_timeout_seconds": 5,
            "log_level": "ERROR",
            "secret_key": "a secret of the benches, which protect nothing",
            "mail_from": "技桥 <notice@jiqiao.example.com>",
            "bounce_address": "bounce@jiqiao.example.com",
            "base_url": "https://jiqiao.example.com",
        }
    )


@contextmanager
def temporary_database(server_url: str) -> Iterator[str]:
    """Give the URL of an empty database on a PostgreSQL server, dropped afterwards; without a server, nothing."""
    if not server_url:
        yield ""
        return
    name = f"jiqiao_bench_{uuid4().hex}"
    url = Settings.model_validate({"database_url": server_url}).database_url
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            # Killed workers leave connections behind that the server has not noticed yet.
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def fill(platform: Platform, *, readers: int, topics: int = len(TOPICS)) -> list[UUID]:
    """Publish one pair on each topic, keep so many managers, recommend, and return the managers' ids."""
    now = platform.clock()
    with platform.transaction() as session:
        office = Organisation(name="试验单位", kind=OrganisationKind.COMPANY, region_code="130200", created_at=now)
        session.add(office)
        session.flush()
        # Staff publish, so that only managers read the digest.
        author = _account("author@example.com", Role.MEMBER, now, organisation_id=office.id)
        moderator = _account("moderator@example.com", Role.MODERATOR, now)
        managers = [
            _account(f"manager{number}@{DOMAINS[number % len(DOMAINS)]}", Role.MANAGER, now)
            for number in range(readers)
        ]
        session.add_all([author, moderator, *managers])
        session.flush()
        for topic in TOPICS[:topics]:
            for kind in Kind:
                _publish(platform, session, topic, kind, author, moderator)
        author.suspended_at = now
        session.add(author)
        ids = [manager.id for manager in managers]
    runs.recommend_everyone(platform)
    return ids


def _account(address: str, role: Role, now: datetime, organisation_id: UUID | None = None) -> Account:
    return Account(
        email=address,
        email_key=address,
        password_hash="!",  # noqa: S106 - nobody signs in
        display_name=address.split("@", 1)[0],
        role=role,
        organisation_id=organisation_id,
        created_at=now,
        confirmed_at=now,
    )


def _publish(platform: Platform, session: Session, topic: str, kind: Kind, author: Account, moderator: Account) -> None:
    now = platform.clock()
    form = ListingForm(
        title=topic,
        summary=f"{topic}。",
        description=f"{topic}，{topic}。",
        keywords=[topic],
        region_code="110108" if kind is Kind.SUPPLY else "130200",
        modes=["licence"],
    )
    listing = listings.create_listing(session, form, kind=kind, owner=author, now=now, submit=True)
    listings.publish_listing(session, listing.id, by=moderator, now=now, days=180)
    indexing.follow_listing(session, listing.id, encoder=platform.encoder, now=now)


def addresses_of(platform: Platform, ids: Sequence[UUID]) -> dict[str, UUID]:
    """Return these accounts by address."""
    wanted = set(ids)
    with platform.reading() as session:
        return {account.email: account.id for account in session.exec(select(Account)) if account.id in wanted}
