"""What people said of the matches they were shown: how often each level was accepted, and what the ranker may learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session

from backend.listings import repository as listings
from backend.matching import repository
from backend.matching.explanation import pair_text
from backend.matching.feedback import UnfitReason
from backend.matching.tables import MatchFeedback, Verdict
from models.features import FEATURES
from models.ordinal import OrdinalModel
from models.refit import LEAST_OF_EACH, Interactions, Quality, held_out, refit
from models.relevance import MatchLevel, PairScorer

UNSTATED = "unstated"
# Money, place and acquaintance say nothing of whether the technology answers the need.
SAYS_IRRELEVANT = frozenset({UnfitReason.WRONG_TOPIC.value, UnfitReason.TOO_EARLY.value})


@dataclass(frozen=True)
class Acceptance:
    """The verdicts on pairs that were shown under one level; `acceptance` is None where nobody has decided."""

    level: str
    shown: int
    fits: int
    unfit: int
    later: int
    acceptance: float | None
    """Of those decided, the share that fits."""
    mean_rank: float | None
    reasons: dict[str, int]


def acceptance_by_level(session: Session) -> list[Acceptance]:
    """Return the acceptance of every level, the strongest first, and of verdicts that were given without one."""
    verdicts = repository.load_all_feedback(session)
    names = [*(level.value for level in sorted(MatchLevel, key=lambda level: -level.order)), UNSTATED]
    return [_acceptance(name, [one for one in verdicts if (one.level_shown or UNSTATED) == name]) for name in names]


def _acceptance(level: str, verdicts: Sequence[MatchFeedback]) -> Acceptance:
    counts = Counter(one.verdict for one in verdicts)
    fits, unfit = counts[Verdict.FITS], counts[Verdict.UNFIT]
    ranks = [one.rank_shown for one in verdicts if one.rank_shown > 0]
    return Acceptance(
        level=level,
        shown=len(verdicts),
        fits=fits,
        unfit=unfit,
        later=counts[Verdict.LATER],
        acceptance=fits / (fits + unfit) if fits + unfit else None,
        mean_rank=float(np.mean(ranks)) if ranks else None,
        reasons=dict(sorted(Counter(one.reason for one in verdicts if one.reason).items())),
    )


@dataclass(frozen=True)
class Refit:
    """A ranker that has learned from verdicts, beside the one that serves; both measured on unseen demands."""

    fits: int
    unfit: int
    demands: int
    before: Quality
    after: Quality
    model: OrdinalModel
    coefficients_before: dict[str, float]
    coefficients_after: dict[str, float]


def learn_from_feedback(session: Session, *, scorer: PairScorer, seed: int) -> Refit | None:
    """Return a refit of the ranker, or None while there are too few verdicts to learn from; nothing is changed."""
    seen = _interactions(session, scorer)
    if seen is None or min(int(seen.fits.sum()), int((~seen.fits).sum())) < LEAST_OF_EACH:
        return None
    before, after = held_out(scorer.model, seen, seed=seed)
    model = refit(scorer.model, seen)
    return Refit(
        fits=int(seen.fits.sum()),
        unfit=int((~seen.fits).sum()),
        demands=len(np.unique(seen.demand)),
        before=before,
        after=after,
        model=model,
        coefficients_before=dict(zip(FEATURES, scorer.model.coefficients.tolist(), strict=True)),
        coefficients_after=dict(zip(FEATURES, model.coefficients.tolist(), strict=True)),
    )


def _interactions(session: Session, scorer: PairScorer) -> Interactions | None:
    """Return the pairs that people have decided on; features are worked out anew, since the two texts decide them."""
    told = [one for one in repository.load_all_feedback(session) if _tells(one)]
    bundles = listings.load_bundles(session, list({id_ for one in told for id_ in (one.supply_id, one.demand_id)}))
    known = [one for one in told if one.supply_id in bundles and one.demand_id in bundles]
    if not known:
        return None
    rows = [
        scorer.judge(pair_text(bundles[one.demand_id]), [pair_text(bundles[one.supply_id])])[0].features
        for one in known
    ]
    numbers = {demand: number for number, demand in enumerate(dict.fromkeys(one.demand_id for one in known))}
    return Interactions(
        features=np.array([[row[name] for name in FEATURES] for row in rows], np.float64),
        fits=np.array([one.verdict is Verdict.FITS for one in known], np.bool_),
        demand=np.array([numbers[one.demand_id] for one in known], np.int64),
    )


def _tells(one: MatchFeedback) -> bool:
    return one.verdict is Verdict.FITS or (one.verdict is Verdict.UNFIT and one.reason in SAYS_IRRELEVANT)
