"""A small market in which it is known who fits whom: a topic's words stand on both sides of its pair alone."""

from typing import Any

from factories import listing_form, make_account, make_listing, make_organisation
from sqlmodel import Session, select

from backend.accounts.tables import Account, Role
from backend.desk import runs, service
from backend.desk.tables import ManagerProfile, Recommendation
from backend.listings import service as listings
from backend.listings.tables import Kind, Listing
from backend.matching import indexing
from backend.platform import Platform

TOPICS = (
    "高盐废水电渗析浓缩", "固态电池硫化物电解质", "脑电信号解码算法", "单克隆抗体连续纯化", "丹参酮组分近红外检测",
    "毫米波相控阵天线", "车规级实时操作系统", "钢渣微粉高强掺合料", "类器官药物筛选芯片", "黄芪多糖膜分离提取",
    "卫星激光通信终端", "氢燃料电池双极板涂层",
)  # fmt: skip
CONTACT = {"contact_name": "金丝雀联系人", "contact_phone": "13900001111", "contact_email": "canary@example.com"}
CANARIES = tuple(CONTACT.values())


def make_side(session: Session, platform: Platform, topic: str, kind: Kind, **changes: Any) -> Listing:
    """Publish one listing on a topic, embedded and announced, with contact details that nobody may ever see."""
    values: dict[str, Any] = {
        "title": topic,
        "summary": f"{topic}。",
        "description": f"{topic}，{topic}。",
        "keywords": [topic],
        "region_code": "110108" if kind is Kind.SUPPLY else "130200",
        **CONTACT,
    }
    owner = make_account(session, organisation_id=make_organisation(session, verified_at=platform.clock()).id)
    now, encoder = platform.clock(), platform.encoder
    return make_listing(session, kind=kind, **{"now": now, "encoder": encoder, "owner": owner, **values, **changes})


def make_pair(session: Session, platform: Platform, topic: str = TOPICS[0], **changes: Any) -> tuple[Listing, Listing]:
    """Publish a supply and a demand that fit; return them in this order."""
    supply = make_side(session, platform, topic, Kind.SUPPLY, **changes)
    return supply, make_side(session, platform, topic, Kind.DEMAND, **changes)


def make_manager(session: Session, **profile: Any) -> Account:
    """Keep a technology manager; with a profile if anything is said of it."""
    manager = make_account(session, role=Role.MANAGER)
    if profile:
        session.add(ManagerProfile(account_id=manager.id, updated_at=manager.created_at, **profile))
        session.flush()
    return manager


def follow(session: Session, platform: Platform, listing: Listing) -> None:
    """Let the index see a listing as it stands now."""
    indexing.follow_listing(session, listing.id, encoder=platform.encoder, now=platform.clock())
    session.flush()


def edit(session: Session, platform: Platform, listing: Listing) -> None:
    """Let a listing say something more, as its owner would."""
    form = listing_form(
        title=listing.title,
        summary=f"{listing.summary}已通过中试。",
        description=listing.description,
        keywords=listing.keywords,
        region_code=listing.region_code,
    )
    owner = session.get(Account, listing.owner_id)
    assert owner is not None
    listings.update_listing(session, listing.id, form, by=owner, now=platform.clock(), submit=False)
    follow(session, platform, listing)


def withdraw(session: Session, platform: Platform, listing: Listing) -> None:
    """Take a listing off the market, as its owner would; the index has not heard of it yet."""
    owner = session.get(Account, listing.owner_id)
    assert owner is not None
    listings.withdraw_listing(session, listing.id, by=owner, now=platform.clock())
    session.flush()


def recommend(session: Session, platform: Platform) -> int:
    """Renew all recommendations and let other sessions see them."""
    made = runs.recommend_to_all(session, platform=platform)
    session.commit()
    return made


def queue_of(session: Session, platform: Platform, manager: Account) -> list[Recommendation]:
    """Return what waits for a manager, best first."""
    return list(service.find_waiting(session, manager.id, now=platform.clock(), limit=500))


def only_row(session: Session, manager: Account) -> Recommendation:
    """Return the one recommendation that a manager ever got."""
    return session.exec(select(Recommendation).where(Recommendation.manager_id == manager.id)).one()
