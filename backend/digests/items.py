"""One pair in a digest, in words, as it is frozen with the mail and as it comes back when the mail is written anew."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from uuid import UUID

from backend.desk.pairs import fingerprint_of
from backend.matching.bridges import Bank, Bridge, Pair
from backend.settings import Settings

# Seven pairs with every text as long as this stay below the limit of a mail's HTML: see the test of it.
LONGEST_TITLE = 60
LONGEST_NAME = 40
LONGEST_REASON = 160
LONGEST_NOTE = 120
ELLIPSIS = "…"


@dataclass(frozen=True)
class Item:
    """One pair in a digest, in words; ids and `fingerprint` say which pair it is and as of which content.

    `recommendation_id` is there when the pair was recommended to a manager, who may then answer from the mail.
    """

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
    recommendation_id: UUID | None = None
    is_changed: bool = False


@dataclass(frozen=True)
class Notice:
    """Something else worth telling, once: `key` says what, and `listing_id` whose page tells more.

    What a saved search found says which search that was, and where all of it is.
    """

    key: str
    kind: str
    listing_id: UUID
    title: str
    text: str
    href: str
    search_id: UUID | None = None
    search: str = ""
    search_href: str = ""


@dataclass(frozen=True)
class Content:
    """Everything that one digest tells."""

    items: tuple[Item, ...] = ()
    expiring: tuple[Notice, ...] = ()
    moves: tuple[Notice, ...] = ()
    found: tuple[Notice, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.items or self.notices)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Return all notices."""
        return self.found + self.expiring + self.moves

    @property
    def search_ids(self) -> tuple[UUID, ...]:
        """Return the saved searches that found something, in their order here."""
        return tuple(dict.fromkeys(one.search_id for one in self.found if one.search_id))

    def without_last(self) -> "Content":
        """Return this without what can wait most easily: the weakest pair, and of the notices the last."""
        for name in ("items", "found", "moves", "expiring"):
            if getattr(self, name):
                return replace(self, **{name: getattr(self, name)[:-1]})
        raise ValueError("there is nothing left to leave out")

    @property
    def searches(self) -> tuple[tuple[Notice, ...], ...]:
        """Return what was found, one part for each saved search."""
        parts: dict[UUID | None, list[Notice]] = {}
        for notice in self.found:
            parts.setdefault(notice.search_id, []).append(notice)
        return tuple(map(tuple, parts.values()))


def make_item(pair: Pair, bridge: Bridge, *, why: str, href: str, settings: Settings, **known: Any) -> Item:
    """Return a judged pair as it fits into a mail."""
    demand, supply = pair.demand.listing, pair.supply.listing
    return Item(
        supply_id=supply.id,
        demand_id=demand.id,
        fingerprint=fingerprint_of(supply.content_hash, demand.content_hash),
        demand=_bank(bridge.demand, settings),
        supply=_bank(bridge.supply, settings),
        level=bridge.level,
        met=bridge.met,
        total=bridge.total,
        reason=shortened(bridge.plain_reason, LONGEST_REASON),
        second_reason=shortened(_second_reason(bridge), LONGEST_NOTE),
        why=shortened(why, LONGEST_NOTE),
        deadline=min((day for day in (demand.deadline_on, supply.deadline_on) if day), default=None),
        topic=one_line(bridge.terms[0] if bridge.terms else demand.title),
        href=settings.base_url + href,
        **known,
    )


def _bank(bank: Bank, settings: Settings) -> Bank:
    """Return one side as it fits into a mail, with the whole address of its page."""
    return replace(
        bank,
        title=shortened(bank.title, LONGEST_TITLE),
        organisation=shortened(bank.organisation, LONGEST_NAME),
        href=settings.base_url + bank.href,
    )


def _second_reason(bridge: Bridge) -> str:
    """Return what the first reason leaves out: other words for the same, then policy, or what nobody has said yet."""
    if bridge.counterparts:
        return f"说法对应：{bridge.counterparts[0]}。{_other_ground(bridge)}"
    return _other_ground(bridge)


def _other_ground(bridge: Bridge) -> str:
    if bridge.policy:
        return f"{bridge.policy[0].cite}：{bridge.policy[0].text}"
    unknown = [item.text for item in bridge.requirements if item.status == "unknown"]
    return f"还需询问：{unknown[0]}" if unknown else "双方都没有提出更多要求，可以直接沟通。"


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, its cut end shown."""
    return text if len(text) <= most else text[: most - 1].rstrip("、，：；") + ELLIPSIS


def one_line(text: str) -> str:
    """Return a text whose every blank, whatever ends a line in some script included, is one space."""
    return " ".join(text.split())


def freeze(thing: Item | Notice) -> dict[str, Any]:
    """Return an item or a notice as plain values that a database can keep."""
    return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def _plain(value: Any) -> Any:
    if isinstance(value, Bank):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, UUID | date) else value


def thaw_item(words: Mapping[str, Any]) -> Item:
    """Return an item as it was frozen."""
    known = {field.name: words[field.name] for field in fields(Item) if field.name in words}
    for name in ("supply_id", "demand_id", "recommendation_id"):
        known[name] = UUID(known[name]) if known.get(name) else None
    known["deadline"] = date.fromisoformat(known["deadline"]) if known["deadline"] else None
    for name in ("demand", "supply"):
        known[name] = Bank(**{**known[name], "facts": tuple(known[name]["facts"])})
    return Item(**known)


def thaw_notice(words: Mapping[str, Any]) -> Notice:
    """Return a notice as it was frozen."""
    search_id = UUID(words["search_id"]) if words.get("search_id") else None
    return Notice(**{**words, "listing_id": UUID(words["listing_id"]), "search_id": search_id})
