"""Matches of a listing, search, likely duplicates, and what people say of a match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.errors import FieldError, Forbidden, Invalid
from backend.listings import repository as listings
from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching import repository
from backend.matching.duplicates import find_same
from backend.matching.explanation import Explanation, explain, ordered, pair_text
from backend.matching.feedback import Shown, may_judge
from backend.matching.pipeline import RERANKED, judge, retrieve, whole_text
from backend.matching.tables import MatchFeedback, Verdict
from backend.platform import Platform
from backend.policy import service as policy
from backend.policy.catalogue import Catalogue
from models.documents import IndexFilter
from models.features import PairText
from models.relevance import MatchLevel
from models.text import normalise

SHOWN_MATCHES = 10
SHOWN_DUPLICATES = 3


@dataclass(frozen=True)
class Match:
    """One listing that may answer another: how well, and why."""

    bundle: ListingBundle
    level: MatchLevel
    score: float
    explanation: Explanation


@dataclass(frozen=True)
class MatchList:
    """The matches of one listing, best first; when there is none, the nearest thing there was."""

    matches: tuple[Match, ...]
    nearest: ListingBundle | None


def match_listing(
    session: Session, bundle: ListingBundle, *, platform: Platform, limit: int = SHOWN_MATCHES
) -> MatchList:
    """Return the published listings of the other kind that answer this one, each with its reasons."""
    text = pair_text(bundle)
    ranked = rank_candidates(session, text, kind=bundle.listing.kind, platform=platform, exclude=bundle.id)
    fitting = [entry for entry in ranked if entry.level is not MatchLevel.NONE]
    matches = [explain_match(bundle, entry, platform=platform) for entry in fitting[:limit]]
    nearest = None if matches or not ranked else ranked[0].bundle
    return MatchList(tuple(matches), nearest)


@dataclass(frozen=True)
class RankedListing:
    """One candidate with its judged level, before anything is explained."""

    bundle: ListingBundle
    level: MatchLevel
    score: float
    features: Mapping[str, float]
    """What the judgement rests on, by name."""


def rank_candidates(
    session: Session, text: PairText, *, kind: Kind, platform: Platform, exclude: UUID | None = None
) -> list[RankedListing]:
    """Return published candidates of the other kind, best first: retrieved by meaning and words, judged as pairs."""
    where = IndexFilter(kind=kind.other.value, exclude=frozenset({str(exclude)} if exclude else ()))
    candidates = retrieve(platform.index.current(session), platform.encoder, text, where=where)[:RERANKED]
    bundles = visible_bundles(session, [UUID(candidate.id) for candidate in candidates])
    return rank(text, kind, bundles, platform=platform)


def rank(text: PairText, kind: Kind, bundles: Sequence[ListingBundle], *, platform: Platform) -> list[RankedListing]:
    """Judge how well each of these listings answers a text of `kind`, best first; ties by id."""
    texts = [pair_text(bundle) for bundle in bundles]
    judgements = judge(platform.scorer, text, kind, texts, cross_encoder=platform.cross_encoder)
    ranked = [
        RankedListing(bundle, judgement.level, judgement.score, judgement.features)
        for bundle, judgement in zip(bundles, judgements, strict=True)
    ]
    return sorted(ranked, key=lambda entry: (-entry.score, str(entry.bundle.id)))


def explain_match(bundle: ListingBundle, ranked: RankedListing, *, platform: Platform) -> Match:
    """Add the reasons to a ranked candidate."""
    demand, supply = ordered(bundle, ranked.bundle)
    reasons = explain(demand, supply, scorer=platform.scorer, catalogue=platform.catalogue)
    return Match(ranked.bundle, ranked.level, ranked.score, reasons)


def visible_bundles(session: Session, ids: Sequence[UUID]) -> list[ListingBundle]:
    """Return those of these listings that the public may see now, in the order asked for.

    An index may be a moment behind; what is shown is decided here, by the database.
    """
    bundles = listings.load_bundles(session, ids)
    return [bundles[listing_id] for listing_id in ids if listing_id in bundles and bundles[listing_id].is_visible]


def find_duplicates(
    session: Session, text: PairText, *, kind: Kind, platform: Platform, exclude: UUID | None = None
) -> list[ListingBundle]:
    """Return published listings of the same kind that say nearly the same, nearest first."""
    bundles: dict[str, ListingBundle] = {}

    def texts_of(ids: Sequence[str]) -> dict[str, PairText]:
        bundles.update({str(bundle.id): bundle for bundle in visible_bundles(session, [UUID(id_) for id_ in ids])})
        return {id_: pair_text(bundle) for id_, bundle in bundles.items()}

    same = find_same(
        platform.index.current(session),
        platform.encoder,
        platform.scorer.table,
        text,
        where=IndexFilter(kind=kind.value, exclude=frozenset({str(exclude)} if exclude else ())),
        texts_of=texts_of,
    )
    return [bundles[id_] for id_ in same[:SHOWN_DUPLICATES]]


def record_feedback(
    session: Session,
    account: Account,
    *,
    supply_id: UUID,
    demand_id: UUID,
    verdict: Verdict,
    reason: str,
    shown: Shown,
    now: datetime,
) -> MatchFeedback:
    """Keep what a person said of a pair, together with what was shown; a later word replaces an earlier one."""
    pair = listings.load_bundles(session, [supply_id, demand_id])
    if len(pair) != len({supply_id, demand_id}) or pair[supply_id].listing.kind is not Kind.SUPPLY:
        raise Invalid([FieldError("pair", "没有这一对成果和需求。")])
    if not may_judge(account, *pair.values()):
        raise Forbidden("只有技术经理人和双方的发布者可以评价这一对。")
    kept = repository.find_feedback(session, account.id, [(supply_id, demand_id)]).get((supply_id, demand_id))
    feedback = kept or MatchFeedback(
        account_id=account.id, supply_id=supply_id, demand_id=demand_id, verdict=verdict, at=now
    )
    feedback.verdict, feedback.reason, feedback.at = verdict, reason, now
    feedback.level_shown, feedback.rank_shown = shown.level, shown.rank
    feedback.features = None if shown.features is None else dict(shown.features)
    feedback.ranker_shown = shown.ranker
    session.add(feedback)
    return feedback


def suggest_fields(catalogue: Catalogue, text: PairText) -> list[str]:
    """Return the priority fields that a text seems to belong to, surest first; unknown text has none."""
    return [entry.field for entry in policy.suggest_fields(normalise(whole_text(text)), catalogue)]
