"""Every judged pair that may be recommended now, read once for many managers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log1p
from uuid import UUID

from sqlmodel import Session

from backend.desk import repository_pool
from backend.desk.choosing import Owners
from backend.desk.columns import PairColumns
from backend.desk.repository_pool import ListingFacts
from backend.desk.scoring import PoolPair
from backend.desk.tables import JudgedPair
from backend.matching import repository as matching_repository
from backend.platform import Platform
from models.documents import Vector
from models.relevance import MatchLevel
from models.term_table import telling_words

VECTOR_PAGE = 500


@dataclass(frozen=True)
class Pool:
    """Every judged pair that may be recommended now, with the vectors of its listings; the same for all managers."""

    columns: PairColumns
    vectors: Mapping[UUID, Vector]
    published: frozenset[UUID]
    owners: Owners


@dataclass(frozen=True)
class _Market:
    """What is known of published listings beside their vectors and words."""

    facts: Mapping[UUID, ListingFacts]
    fields: Mapping[UUID, frozenset[str]]
    others: Mapping[UUID, int]
    exposure: Mapping[UUID, float]


def load_pool(session: Session, platform: Platform) -> Pool:
    """Read what can be recommended now."""
    facts, fields = repository_pool.load_facts(session), repository_pool.load_fields(session)
    judged = [pair for pair in repository_pool.find_pool(session) if {pair.supply_id, pair.demand_id} <= facts.keys()]
    market = _Market(facts, fields, repository_pool.count_others(session), _exposure(session))
    ids = sorted({*(pair.supply_id for pair in judged), *(pair.demand_id for pair in judged)}, key=str)
    words = {known: frozenset(telling_words(" ".join((facts[known].title, *facts[known].keywords)))) for known in ids}
    vectors: dict[UUID, Vector] = {}
    for start in range(0, len(ids), VECTOR_PAGE):
        page = ids[start : start + VECTOR_PAGE]
        vectors |= matching_repository.load_vectors(session, page, encoder=platform.encoder.name)
    columns = PairColumns([_pool_pair(pair, market, words) for pair in judged], vectors, platform.catalogue)
    owners = Owners({known: fact.organisation_id for known, fact in facts.items()})
    return Pool(columns, vectors, frozenset(facts), owners)


def _exposure(session: Session) -> dict[UUID, float]:
    """Return how often each organisation stands in open queues, on a scale where the most frequent has 1."""
    counts = repository_pool.find_exposure(session)
    most = log1p(max(counts.values(), default=1))
    return {organisation_id: log1p(count) / most for organisation_id, count in counts.items()}


def _pool_pair(pair: JudgedPair, market: _Market, words: Mapping[UUID, frozenset[str]]) -> PoolPair:
    facts, fields = market.facts, market.fields
    supply, demand = facts[pair.supply_id], facts[pair.demand_id]
    shown = [market.exposure.get(side.organisation_id, 0.0) for side in (supply, demand)]
    return PoolPair(
        supply_id=supply.id,
        demand_id=demand.id,
        level=MatchLevel(pair.level),
        judged=pair.score,
        fingerprint=pair.fingerprint,
        pairing=pair.pairing,
        supply_region=supply.region_code,
        demand_region=demand.region_code,
        fields=fields.get(supply.id, frozenset()) | fields.get(demand.id, frozenset()),
        words=words[supply.id] | words[demand.id],
        deadline=min((day for day in (supply.deadline_on, demand.deadline_on) if day), default=None),
        fresh_at=max(supply.updated_at, demand.updated_at),
        industries=frozenset(code for code in (supply.industry_code, demand.industry_code) if code),
        others=market.others.get(demand.id, 0),
        shown_often=sum(shown) / len(shown),
    )
