"""The page of one listing: its card, its best matches as bridges, what is similar; and what is left when it is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlmodel import Session

from backend.accounts.tables import Account, Role
from backend.errors import NotFound
from backend.listings.cards import Card, make_card
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind, State
from backend.matching import service
from backend.matching.bridges import Bridge, bridge_of, pair_of
from backend.matching.feedback import may_judge
from backend.matching.rows import Row, make_rows
from backend.matching.similar import find_alternatives, find_similar
from backend.platform import Platform
from backend.web.pages import Page

SHORT_DESCRIPTION = 80
# What the owner of a listing reads above it, by its state: how the notice looks, and what it says.
OWN_BANNERS = {
    State.DRAFT: ("info", "这是草稿，只有您能看到。写好后请提交审核。"),
    State.PENDING: ("info", "正在审核，通过后就会公开并开始匹配。"),
    State.RETURNED: ("warning", "已退回，请按审核员的理由修改后重新提交。"),
    State.MATCHED: ("success", "已对接，不再公开。"),
    State.CLOSED: ("info", "已结束，不再公开。"),
    State.EXPIRED: ("warning", "已过期，不再公开。需要继续时请续期。"),
    State.WITHDRAWN: ("warning", "已下架，不再公开。需要时可以重新发布。"),
}
# What everybody else reads in place of a listing that was public once.
GONE = {
    State.MATCHED: "这条信息已对接，不再公开。",
    State.CLOSED: "这条信息已结束，不再公开。",
    State.EXPIRED: "这条信息已过期，不再公开。",
    State.WITHDRAWN: "这条信息已下架，不再公开。",
}
GONE_FOR_NOW = "这条信息修改后正在重新审核，暂不公开。"


@dataclass(frozen=True)
class Banner:
    """A notice above a listing."""

    kind: str
    text: str


@dataclass(frozen=True)
class ListingPage(Page):
    """A listing with its matches. `hints` say what would help to find some."""

    template: ClassVar[str] = "matching/listing.html"

    card: Card
    banner: Banner | None
    bridges: tuple[Bridge, ...]
    nearest: Row | None
    hints: tuple[str, ...]
    similar: tuple[Row, ...]
    may_judge: bool


@dataclass(frozen=True)
class GonePage(Page):
    """What is left of a listing that was public once: title, state, and what to look at instead."""

    template: ClassVar[str] = "matching/gone.html"

    title: str
    kind: str
    state: str
    text: str
    alternatives: tuple[Row, ...]


def make_listing_page(
    session: Session, bundle: ListingBundle, *, platform: Platform, reader: Account | None, now: datetime
) -> ListingPage | GonePage:
    """Return the page of a listing for one reader.

    Raises: NotFound for what this reader may not know of.
    """
    catalogue = platform.catalogue
    if not may_read(bundle, reader):
        alternatives = find_alternatives(session, bundle, platform=platform)
        return _gone_page(bundle, make_rows(alternatives, catalogue, reader=reader, now=now))
    found = service.match_listing(session, bundle, platform=platform)
    nearest = [found.nearest] if found.nearest else []
    similar = find_similar(session, bundle, platform=platform)
    return ListingPage(
        card=make_card(bundle, catalogue, reader=reader),
        banner=_banner(bundle, reader),
        bridges=tuple(
            bridge_of(pair_of(bundle, match), catalogue=catalogue, reader=reader, here=bundle.listing.kind, rank=rank)
            for rank, match in enumerate(found.matches, start=1)
        ),
        nearest=next(iter(make_rows(nearest, catalogue, reader=reader, now=now)), None),
        hints=() if found.matches else tuple(what_would_help(bundle)),
        similar=make_rows(similar, catalogue, reader=reader, now=now),
        may_judge=may_judge(reader, bundle),
    )


def may_read(bundle: ListingBundle, reader: Account | None) -> bool:
    """Tell whether a reader sees a listing whole now.

    Raises: NotFound when the listing was never public and is not the reader's to see.
    """
    listing = bundle.listing
    if bundle.is_visible or (reader is not None and reader.id == listing.owner_id):
        return True
    if reader is not None and reader.role is Role.MODERATOR and listing.state is not State.DRAFT:
        return True
    if listing.published_at is None:
        raise NotFound("没有这条信息，它可能还没有发布。")
    return False


def _gone_page(bundle: ListingBundle, alternatives: tuple[Row, ...]) -> GonePage:
    listing = bundle.listing
    text = GONE.get(listing.state, GONE_FOR_NOW)
    return GonePage(listing.title, listing.kind.value, listing.state.value, text, alternatives)


def _banner(bundle: ListingBundle, reader: Account | None) -> Banner | None:
    listing = bundle.listing
    if bundle.is_visible or reader is None:
        return None
    if reader.id != listing.owner_id:
        return Banner("info", GONE.get(listing.state, "这条信息尚未公开。"))
    return Banner(*OWN_BANNERS[listing.state])


def what_would_help(bundle: ListingBundle) -> Sequence[str]:
    """Return what could still be written into a listing so that something is found for it."""
    listing = bundle.listing
    wanting = [
        (not listing.indicators, "写上技术指标的名称、数值和单位，才能逐项对照。"),
        (len(listing.description) < SHORT_DESCRIPTION, "把详细说明写得更具体：对象、方法、条件和要达到的结果。"),
        (not listing.keywords, "补充几个同行常用的关键词。"),
        (not bundle.fields, "如果属于六个优先领域之一，请选上。"),
        (listing.kind is Kind.DEMAND and not bundle.modes, "写明愿意采用的合作方式。"),
    ]
    return [sentence for is_wanting, sentence in wanting if is_wanting]
