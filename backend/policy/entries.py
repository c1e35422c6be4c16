"""What the reference data consists of."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Level(StrEnum):
    """How high a region stands."""

    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"


class Use(StrEnum):
    """What the platform does in the name of an article."""

    BASIC_RESEARCH = "basic_research"
    DEMAND_LIST = "demand_list"
    DISPUTE = "dispute"
    FIELD = "field"
    FUNDING = "funding"
    INDUSTRY_CHAIN = "industry_chain"
    INNOVATION_CENTRE = "innovation_centre"
    INSTRUMENT = "instrument"
    IP = "ip"
    JOINT_TEAM = "joint_team"
    MANAGER_TRAINING = "manager_training"
    MARKET_ENVIRONMENT = "market_environment"
    PARK = "park"
    PILOT_BASE = "pilot_base"
    PLATFORM = "platform"
    REGION_PAIR = "region_pair"
    RELOCATION = "relocation"
    TALENT = "talent"
    VALUATION = "valuation"
    VOUCHER = "voucher"
    XIONGAN = "xiongan"


@dataclass(frozen=True)
class Region:
    """A place of GB/T 2260; a county or county-level city is a district here."""

    code: str
    name: str
    short: str
    level: Level
    parent: str | None


@dataclass(frozen=True)
class Park:
    """A park named in Article 11."""

    code: str
    name: str
    province: str
    region: str
    description: str


@dataclass(frozen=True)
class Field:
    """A priority field of Article 8, with the terms of its own and those that only support it."""

    code: str
    name: str
    definition: str
    technologies: tuple[str, ...]
    vocabulary: frozenset[str]
    supporting: frozenset[str]


@dataclass(frozen=True)
class Industry:
    """A section (one letter) or division (letter and two digits) of GB/T 4754."""

    code: str
    name: str


@dataclass(frozen=True)
class Decision:
    """One of the two decisions of November 2023."""

    key: str
    place: str
    title: str
    adopted_on: date


@dataclass(frozen=True)
class Topic:
    """A subject to which a pairing is limited."""

    name: str
    fields: frozenset[str]
    industries: frozenset[str]
    words: tuple[str, ...]

    def covers(self, fields: Collection[str], industries: Collection[str], text: str) -> bool:
        """Tell whether a listing of these fields, industries and words belongs to this subject."""
        by_code = not self.fields.isdisjoint(fields) or not self.industries.isdisjoint(industries)
        return by_code or any(word in text for word in self.words)


@dataclass(frozen=True)
class Pairing:
    """Two sides that Article 5 joins; with topics, only on one of them."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    reason: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Article:
    """What one article of one decision asks for, in our own words."""

    number: int
    decision: Decision
    supports: frozenset[Use]
    regions: tuple[str, ...]
    paraphrase: str
    pairings: tuple[Pairing, ...]


@dataclass(frozen=True)
class PairingSupport:
    """An entry of Article 5 that speaks for a pair of places, and the topic it speaks on if it is limited to some."""

    article: Article
    pairing: Pairing
    topic: Topic | None
