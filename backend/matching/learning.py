"""What people said of the matches they were shown: how often each was accepted, and what the ranker may learn."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlmodel import Session

from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.matching import repository
from backend.matching.explanation import pair_text
from backend.matching.feedback import UnfitReason
from backend.matching.tables import MatchFeedback, Verdict
from models.features import FEATURES
from models.ordinal import OrdinalModel
from models.refit import LEAST_DEMANDS, LEAST_OF_EACH, Interactions, Quality, held_out, refit
from models.relevance import MatchLevel, PairScorer

UNSTATED = "unstated"
# Money, place and acquaintance say nothing of whether the technology answers the need.
SAYS_IRRELEVANT = frozenset({UnfitReason.WRONG_TOPIC.value, UnfitReason.TOO_EARLY.value})


# Places in a list that are counted together, each by its first place; what stood in no list is at 0.
RANK_BANDS = (0, 1, 2, 3, 4, 6, 11)


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The verdicts on some pairs that were shown; `acceptance` is None where nobody has decided."""

    shown: int
    fits: int
    unfit: int
    later: int
    acceptance: float | None
    """Of those decided, the share that fits."""
    mean_rank: float | None
    reasons: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class LevelAcceptance(Acceptance):
    """The verdicts on pairs that were shown under one level."""

    level: str


@dataclass(frozen=True, kw_only=True)
class RankAcceptance(Acceptance):
    """The verdicts on pairs that stood at these places of a list: both 0 for no list, no last place for the rest."""

    first: int
    last: int | None


def acceptance_by_level(session: Session) -> list[LevelAcceptance]:
    """Return the acceptance of every level, the strongest first, and of verdicts that were given without one."""
    verdicts = repository.load_all_feedback(session)
    names = [*(level.value for level in sorted(MatchLevel, key=lambda level: -level.order)), UNSTATED]
    return [
        LevelAcceptance(level=name, **_counts([one for one in verdicts if (one.level_shown or UNSTATED) == name]))
        for name in names
    ]


def acceptance_by_rank(session: Session) -> list[RankAcceptance]:
    """Return the acceptance of every band of places, the first place first, and then of pairs in no list.

    People accept more readily what stands higher: read it beside the acceptance by level.
    """
    by_band: dict[int, list[MatchFeedback]] = {first: [] for first in RANK_BANDS}
    for one in repository.load_all_feedback(session):
        by_band[RANK_BANDS[bisect_right(RANK_BANDS, one.rank_shown) - 1]].append(one)
    lasts = [*(after - 1 for after in RANK_BANDS[1:]), None]
    found = [
        RankAcceptance(first=first, last=last, **_counts(by_band[first]))
        for first, last in zip(RANK_BANDS, lasts, strict=True)
    ]
    return [*found[1:], found[0]]


def _counts(verdicts: Sequence[MatchFeedback]) -> dict[str, Any]:
    counts = Counter(one.verdict for one in verdicts)
    fits, unfit = counts[Verdict.FITS], counts[Verdict.UNFIT]
    ranks = [one.rank_shown for one in verdicts if one.rank_shown > 0]
    return {
        "shown": len(verdicts),
        "fits": fits,
        "unfit": unfit,
        "later": counts[Verdict.LATER],
        "acceptance": fits / (fits + unfit) if fits + unfit else None,
        "mean_rank": float(np.mean(ranks)) if ranks else None,
        "reasons": dict(sorted(Counter(one.reason for one in verdicts if one.reason).items())),
    }


@dataclass(frozen=True)
class Refit:
    """A ranker that has learned from verdicts, beside the one that serves; both measured on unseen demands."""

    fits: int
    unfit: int
    demands: int
    stored: int
    """Of the pairs, those whose features were kept when they were shown."""
    computed: int
    """Of the pairs, those whose features were worked out from the texts as they are now."""
    before: Quality
    after: Quality
    model: OrdinalModel
    coefficients_before: dict[str, float]
    coefficients_after: dict[str, float]


def learn_from_feedback(session: Session, *, scorer: PairScorer, seed: int) -> Refit | None:
    """Return a refit of the ranker, or None while there are too few verdicts to learn from; nothing is changed."""
    found = _interactions(session, scorer)
    if found is None:
        return None
    seen, stored = found
    demands = len(np.unique(seen.demand))
    if min(int(seen.fits.sum()), int((~seen.fits).sum())) < LEAST_OF_EACH or demands < LEAST_DEMANDS:
        return None
    before, after = held_out(scorer.model, seen, seed=seed)
    model = refit(scorer.model, seen)
    return Refit(
        fits=int(seen.fits.sum()),
        unfit=int((~seen.fits).sum()),
        demands=demands,
        stored=stored,
        computed=len(seen.fits) - stored,
        before=before,
        after=after,
        model=model,
        coefficients_before=dict(zip(FEATURES, scorer.model.coefficients.tolist(), strict=True)),
        coefficients_after=dict(zip(FEATURES, model.coefficients.tolist(), strict=True)),
    )


def _interactions(session: Session, scorer: PairScorer) -> tuple[Interactions, int] | None:
    """Return the pairs that people have decided on, and of how many the features had been kept when they were shown.

    Kept features are those of what people saw, even where a text has changed since. They can be used together with
    others only if the same encoder and term table gave them; of the other pairs the texts are read as they are now.
    """
    told = [one for one in repository.load_all_feedback(session) if _tells(one)]
    is_kept = [_has_features_of(one, scorer) for one in told]
    unread = {
        id_ for one, kept in zip(told, is_kept, strict=True) if not kept for id_ in (one.supply_id, one.demand_id)
    }
    bundles = listings.load_bundles(session, list(unread))
    rows: list[tuple[MatchFeedback, Mapping[str, float]]] = []
    for one, kept in zip(told, is_kept, strict=True):
        if kept and one.features is not None:
            rows.append((one, one.features))
        elif one.supply_id in bundles and one.demand_id in bundles:
            rows.append((one, _features_now(one, bundles, scorer)))
    if not rows:
        return None
    numbers = {demand: number for number, demand in enumerate(dict.fromkeys(one.demand_id for one, _ in rows))}
    seen = Interactions(
        features=np.array([[features[name] for name in FEATURES] for _, features in rows], np.float64),
        fits=np.array([one.verdict is Verdict.FITS for one, _ in rows], np.bool_),
        demand=np.array([numbers[one.demand_id] for one, _ in rows], np.int64),
    )
    return seen, sum(is_kept)


def _has_features_of(one: MatchFeedback, scorer: PairScorer) -> bool:
    """Tell whether features were kept that this ranker could have computed."""
    if one.features is None or one.ranker_shown is None:
        return False
    return one.ranker_shown.startswith(f"{scorer.basis}-") and one.features.keys() == set(FEATURES)


def _features_now(one: MatchFeedback, bundles: Mapping[UUID, ListingBundle], scorer: PairScorer) -> Mapping[str, float]:
    demand, supply = bundles[one.demand_id], bundles[one.supply_id]
    return scorer.judge(pair_text(demand), [pair_text(supply)])[0].features


def _tells(one: MatchFeedback) -> bool:
    return one.verdict is Verdict.FITS or (one.verdict is Verdict.UNFIT and one.reason in SAYS_IRRELEVANT)
