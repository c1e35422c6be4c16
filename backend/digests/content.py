"""What one digest says: written down before anything is kept or sent, so that a preview is the real thing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.desk import service as desk
from backend.desk.pages import ShownPair, show_pairs
from backend.desk.tables import Recommendation
from backend.digests import repository
from backend.digests.week import Week
from backend.mail.messages import Message, compose, sender_of
from backend.matching import repository as matching
from backend.matching.bridges import Bank
from backend.platform import Platform
from backend.settings import Settings
from models.relevance import MatchLevel

MOST_ITEMS = 7
# So many of the queue's best are looked through for what was not shown before.
LOOKED_AT = 200
CATEGORY = "digest"
LONGEST_SUBJECT = 30
LONGEST_TOPIC = 10
# Seven pairs with every text as long as this stay below the limit of a mail's HTML: see the test of it.
LONGEST_TITLE = 60
LONGEST_NAME = 40
LONGEST_REASON = 160
LONGEST_NOTE = 120
ELLIPSIS = "…"
PREVIEW_TOKEN = "preview"  # noqa: S105 - stands where a subscription has no token yet


@dataclass(frozen=True)
class Item:
    """One pair in a digest, in words; `key` and `fingerprint` say which pair it is and as of which content."""

    supply_id: UUID
    demand_id: UUID
    fingerprint: str
    demand: Bank
    supply: Bank
    level: str
    met: int
    total: int
    reason: str
    second_reason: str
    why: str
    deadline: date | None
    topic: str
    href: str


@dataclass(frozen=True)
class Links:
    """The addresses that a digest names."""

    unsubscribe: str
    preferences: str
    desk: str
    profile: str


def find_items(session: Session, account: Account, *, platform: Platform, now: datetime) -> list[Item]:
    """Return what is new for a manager, at most 7 pairs: the good ones first, weak ones only where there is room."""
    waiting = desk.find_waiting(session, account.id, now=now, limit=LOOKED_AT)
    fresh = _not_shown(session, account, waiting)
    items: list[Item] = []
    for row in sorted(fresh, key=lambda row: row.level == MatchLevel.WEAK):
        if len(items) == MOST_ITEMS:
            break
        pairs = show_pairs(session, [row], manager=account, platform=platform)
        items += [_item(pair, platform.settings) for pair in pairs if pair.pair.level is not MatchLevel.NONE]
    return items


def _not_shown(session: Session, account: Account, rows: Sequence[Recommendation]) -> list[Recommendation]:
    """Return those of these pairs that no digest of the account showed as they stand now."""
    shown_before = repository.find_shown(session, account.id)
    ids = sorted({one for row in rows for one in (row.supply_id, row.demand_id)})
    hashes = matching.find_published_hashes(session, ids)
    return [
        row
        for row in rows
        if row.supply_id in hashes
        and row.demand_id in hashes
        and (row.supply_id, row.demand_id, desk.fingerprint_of(hashes[row.supply_id], hashes[row.demand_id]))
        not in shown_before
    ]


def _item(shown: ShownPair, settings: Settings) -> Item:
    demand, supply, bridge = shown.pair.demand.listing, shown.pair.supply.listing, shown.bridge
    return Item(
        supply_id=supply.id,
        demand_id=demand.id,
        fingerprint=desk.fingerprint_of(supply.content_hash, demand.content_hash),
        demand=_bank(bridge.demand, settings),
        supply=_bank(bridge.supply, settings),
        level=bridge.level,
        met=bridge.met,
        total=bridge.total,
        reason=shortened(bridge.plain_reason, LONGEST_REASON),
        second_reason=shortened(_second_reason(shown), LONGEST_NOTE),
        why=shortened(shown.row.reason, LONGEST_NOTE),
        deadline=min((day for day in (demand.deadline_on, supply.deadline_on) if day), default=None),
        topic=one_line(bridge.terms[0] if bridge.terms else demand.title),
        href=settings.base_url + shown.href,
    )


def _bank(bank: Bank, settings: Settings) -> Bank:
    """Return one side as it fits into a mail, with the whole address of its page."""
    return replace(
        bank,
        title=shortened(bank.title, LONGEST_TITLE),
        organisation=shortened(bank.organisation, LONGEST_NAME),
        href=settings.base_url + bank.href,
    )


def _second_reason(shown: ShownPair) -> str:
    """Return what the first reason leaves out: the ground of policy, or what nobody has said yet."""
    if shown.bridge.policy:
        return f"{shown.bridge.policy[0].cite}：{shown.bridge.policy[0].text}"
    unknown = [item.text for item in shown.bridge.requirements if item.status == "unknown"]
    return f"还需询问：{unknown[0]}" if unknown else "双方都没有提出更多要求，可以直接沟通。"


def make_subject(items: Sequence[Item]) -> str:
    """Return the subject: the count first, then as many topics as fit into 30 characters."""
    subject = f"[技桥] 本周 {len(items)} 条推荐："
    topics = list(dict.fromkeys(shortened(item.topic, LONGEST_TOPIC) for item in items))
    shown = topics[:1]
    for topic in topics[1:]:
        if len(subject) + len("、".join([*shown, topic])) + len("、…") > LONGEST_SUBJECT:
            break
        shown.append(topic)
    rest = "、…" if len(shown) < len(topics) else ""
    return shortened(subject + "、".join(shown) + rest, LONGEST_SUBJECT)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, its cut end shown."""
    return text if len(text) <= most else text[: most - 1].rstrip("、，：；") + ELLIPSIS


def one_line(text: str) -> str:
    """Return a text whose every blank, whatever ends a line in some script included, is one space."""
    return " ".join(text.split())


def links_of(settings: Settings, token: str) -> Links:
    """Return the addresses that a digest with this token names."""
    base = settings.base_url
    return Links(f"{base}/digest/unsubscribe/{token}", f"{base}/digest", f"{base}/desk", f"{base}/desk/profile")


def write_message(account: Account, items: Sequence[Item], *, week: Week, token: str, settings: Settings) -> Message:
    """Write the mail of one digest."""
    links = links_of(settings, token)
    host = urlsplit(settings.base_url).hostname or "localhost"
    return compose(
        "digest",
        recipient=account.email,
        recipient_name=one_line(account.display_name),
        category=CATEGORY,
        headers={
            "List-Unsubscribe": f"<{links.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-ID": f"<digest.{host}>",
            "Feedback-ID": f"{week.key}:{CATEGORY}:jiqiao",
        },
        sender=sender_of(settings),
        title=make_subject(items),
        week=week.label,
        items=items,
        links=links,
    )
