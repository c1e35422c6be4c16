"""Why a pair fits and what does not: deterministic, and the same on page, desk, digest and API."""

from dataclasses import dataclass

from backend.listings.repository import ListingBundle
from backend.listings.tables import Kind
from backend.matching.grounds import Ground, find_grounds
from backend.matching.requirements import Requirement, compare
from backend.policy.catalogue import Catalogue
from models.counterparts import Counterpart, find_counterparts
from models.features import PairText
from models.passages import Evidence, find_evidence, shared_terms
from models.relevance import MatchLevel, PairScorer
from models.thesaurus import shipped

SHOWN_TERMS = 6
SHOWN_COUNTERPARTS = 4
SHOWN_EVIDENCE = 2


@dataclass(frozen=True)
class Explanation:
    """All that is said of one pair. Every quote is a part of the listing it comes from."""

    requirements: tuple[Requirement, ...]
    evidence: tuple[Evidence, ...]
    terms: tuple[str, ...]
    grounds: tuple[Ground, ...]
    counterparts: tuple[Counterpart, ...] = ()

    @property
    def met(self) -> int:
        """Return how many requirements are met."""
        return sum(requirement.status == "met" for requirement in self.requirements)

    @property
    def total(self) -> int:
        """Return how many requirements there are."""
        return len(self.requirements)

    @property
    def missed(self) -> tuple[Requirement, ...]:
        """Return what does not fit."""
        return tuple(requirement for requirement in self.requirements if requirement.status == "missed")

    @property
    def strongest_reason(self) -> str:
        """Return the one line that says most: terms in common, the best figure met, or the pair of passages."""
        if self.terms:
            return "都涉及" + "、".join(self.terms[:3])
        if self.counterparts:
            return f"说法对应：{self.counterparts[0].text}"
        figures = [item for item in self.requirements if item.status == "met"]
        if figures:
            return f"{figures[0].text}，{figures[0].note}"
        return f"“{self.evidence[0].supply_quote}”" if self.evidence else "技术方向相近"


def pair_text(bundle: ListingBundle) -> PairText:
    """Return what the relevance model reads of a listing."""
    listing = bundle.listing
    baseline = bundle.demand.baseline if bundle.demand else ""
    body = "\n".join(part for part in (listing.summary, listing.description, baseline) if part)
    return PairText(title=listing.title, keywords=" ".join(listing.keywords), body=body)


def explain(demand: ListingBundle, supply: ListingBundle, *, scorer: PairScorer, catalogue: Catalogue) -> Explanation:
    """Say why this supply could answer this demand, what is met, missed and unknown, and what speaks for the pair."""
    asked, offered = pair_text(demand), pair_text(supply)
    return Explanation(
        requirements=compare(demand, supply, catalogue),
        evidence=tuple(find_evidence(scorer, asked, offered, limit=SHOWN_EVIDENCE)),
        terms=tuple(shared_terms(scorer, asked, offered, limit=SHOWN_TERMS)),
        grounds=find_grounds(demand, supply, catalogue),
        counterparts=tuple(find_counterparts(shipped(), asked, offered, limit=SHOWN_COUNTERPARTS)),
    )


def ordered(one: ListingBundle, other: ListingBundle) -> tuple[ListingBundle, ListingBundle]:
    """Return a pair as (demand, supply)."""
    return (one, other) if one.listing.kind is Kind.DEMAND else (other, one)


LEVEL_WORDS = {
    MatchLevel.STRONG: "强",
    MatchLevel.FAIR: "较强",
    MatchLevel.WEAK: "弱",
    MatchLevel.NONE: "无",
}
