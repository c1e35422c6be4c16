"""How much one pair concerns one manager: pure arithmetic, and the same facts in words.

A score has no meaning of its own; it only orders the pairs of one manager. The level weighs most: everything personal
together is worth about one and a half levels, everything public about one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import exp
from uuid import UUID

from backend.desk.lessons import learned_of
from backend.policy.catalogue import Catalogue
from models.documents import Vector
from models.relevance import MatchLevel

FIELD, REGION, EXPERTISE, INDUSTRY = 0.6, 0.4, 0.6, 0.3
CROSS_REGION, NAMED_PAIRING = 0.4, 0.2
FRESH, URGENT, OVERDUE = 0.3, 0.3, -0.5
WITHIN_LEVEL = 0.5
# Others at work on the same demand, and organisations that many queues show already, come a little later.
CROWDED, SHOWN_OFTEN = -0.25, -0.3
FRESH_DAYS = 30.0
URGENT_DAYS = 30
# An expertise is near to a pair when its cosine stands out of the manager's own pool: encoders differ in how high an
# unrelated text scores, so that a fixed cosine would mean something else for each.
NEAR_DEVIATIONS = 1.5
SMALLEST_POOL = 20
SHOWN_WORDS, MOST_WORDS = 3, 12
NOTABLE = 0.15
LONGEST_WHY = 300
IMPERSONAL = "按匹配度、是否跨省市和时间排列，没有使用您的个人设置"


@dataclass(frozen=True)
class Interest:
    """What one manager cares for, ready to be compared; `words` are those of the expertise that tell something."""

    regions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    vector: Vector | None = None
    prefers_cross_region: bool = True
    personalised: bool = True
    industries: tuple[str, ...] = ()
    lessons: Mapping[str, float] = field(default_factory=dict)
    """What earlier decisions teach of single traits of a pair, each between -1 and 1."""


@dataclass(frozen=True)
class PoolPair:
    """One judged pair with what the scoring needs of its two listings."""

    supply_id: UUID
    demand_id: UUID
    level: MatchLevel
    judged: float
    fingerprint: str
    pairing: str
    supply_region: str
    demand_region: str
    fields: frozenset[str]
    words: frozenset[str]
    deadline: date | None
    fresh_at: datetime
    industries: frozenset[str] = frozenset()
    others: int = 0
    """How many managers work on the demand with another supply."""
    shown_often: float = 0.0
    """How often the two organisations stand in queues: 0 for never, 1 for the most frequent of all."""

    @property
    def key(self) -> tuple[UUID, UUID]:
        """Return what names the pair: supply, then demand."""
        return self.supply_id, self.demand_id


@dataclass(frozen=True)
class Fit:
    """What speaks for showing one pair to one manager."""

    score: float
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    words: tuple[str, ...]
    is_near: bool
    is_cross_region: bool
    industries: tuple[str, ...] = ()
    learned: float = 0.0


def fit_of(
    pair: PoolPair, interest: Interest, cosine: float, catalogue: Catalogue, *, near_from: float, now: datetime
) -> Fit:
    """Score one pair for one manager."""
    fields, regions, words = _personal(pair, interest, catalogue)
    is_near = interest.personalised and interest.vector is not None and cosine >= near_from
    is_cross = catalogue.province_of(pair.supply_region) != catalogue.province_of(pair.demand_region)
    likes_cross = interest.prefers_cross_region or not interest.personalised
    industries = tuple(code for code in interest.industries if interest.personalised and is_in(code, pair.industries))
    learned = learned_of(traits_of(pair, catalogue), interest.lessons) if interest.personalised else 0.0
    score = (
        pair.level.order
        + WITHIN_LEVEL * pair.judged
        + FIELD * bool(fields)
        + REGION * bool(regions)
        + EXPERTISE * (max(cosine, 0.0) if interest.personalised else 0.0)
        + EXPERTISE * bool(words)
        + INDUSTRY * bool(industries)
        + learned
        + CROWDED * pair.others
        + SHOWN_OFTEN * pair.shown_often
        + (CROSS_REGION + NAMED_PAIRING * bool(pair.pairing)) * (is_cross and likes_cross)
        + FRESH * exp(-max((now - pair.fresh_at).days, 0) / FRESH_DAYS)
        + _urgency(pair.deadline, now)
    )
    return Fit(score, fields, regions, words, is_near, is_cross, industries, learned)


def _personal(
    pair: PoolPair, interest: Interest, catalogue: Catalogue
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the fields, regions and words of an interest that a pair meets: none once a manager wants none used."""
    if not interest.personalised:
        return (), (), ()
    fields = tuple(code for code in interest.fields if code in pair.fields)
    places = (pair.demand_region, pair.supply_region)
    regions = tuple(code for code in interest.regions if any(catalogue.contains(code, place) for place in places))
    return fields, regions, tuple(sorted(interest.words & pair.words, key=lambda word: (-len(word), word)))


def is_in(code: str, industries: frozenset[str]) -> bool:
    """Tell whether an industry, or one within it, is among these: C26 lies in C."""
    return any(one.startswith(code) for one in industries)


def traits_of(pair: PoolPair, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what of a pair can be liked or disliked: its fields, the two places, and its telling words."""
    places = sorted({catalogue.province_of(code).code for code in (pair.demand_region, pair.supply_region)})
    longest = sorted(pair.words, key=lambda word: (-len(word), word))[:MOST_WORDS]
    return (
        *(f"field:{code}" for code in sorted(pair.fields)),
        f"places:{'-'.join(places)}",
        *(f"word:{word}" for word in longest),
    )


def _urgency(deadline: date | None, now: datetime) -> float:
    if deadline is None:
        return 0.0
    left = (deadline - now.date()).days
    return OVERDUE if left < 0 else URGENT * max(0.0, 1 - left / URGENT_DAYS)


def why(pair: PoolPair, fit: Fit, interest: Interest, catalogue: Catalogue, *, today: date) -> str:
    """Say in one line why a pair is recommended to this manager."""
    parts = [] if interest.personalised else [IMPERSONAL]
    if fit.fields:
        parts.append("您关注的领域：" + "、".join(catalogue.field(code).name for code in fit.fields))
    if fit.industries:
        parts.append(
            "您关注的行业：" + "、".join(catalogue.industry(code).name for code in fit.industries[:SHOWN_WORDS])
        )
    if fit.regions:
        parts.append("您关注的地区：" + "、".join(catalogue.region(code).short for code in fit.regions))
    if fit.words:
        parts.append("与您的专长相关：" + "、".join(fit.words[:SHOWN_WORDS]))
    elif fit.is_near:
        parts.append("与您填写的专长相近")
    if fit.is_cross_region:
        cite = pair.pairing.split("：", 1)[0]
        parts.append(f"跨省市，{cite}支持这两地合作" if cite else "跨省市的一对")
    parts += _order_reasons(pair, fit, today=today)
    return ("；".join(parts) or "匹配度较高的新发布信息")[:LONGEST_WHY]


def _order_reasons(pair: PoolPair, fit: Fit, *, today: date) -> list[str]:
    """Say what beside fields, places and words moves a pair up or down."""
    parts = []
    if abs(fit.learned) >= NOTABLE:
        parts.append("与您接洽过的对子相似" if fit.learned > 0 else "与您记为不合适的对子相似，排得靠后")
    if pair.others:
        parts.append(f"已有 {pair.others} 位技术经理人在接洽同一需求")
    if pair.deadline is not None and 0 <= (pair.deadline - today).days <= URGENT_DAYS:
        parts.append(f"离截止还有 {(pair.deadline - today).days} 天")
    return parts
