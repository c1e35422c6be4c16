"""What a manager's decisions teach about the traits of pairs: pure arithmetic that can be shown and taken back.

A trait is a field, a pair of places or a telling word. Taking a pair speaks for all its traits; a dismissal speaks
against those that its reason is about, and a reason that is about none of them teaches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.desk.tables import DismissalReason

# So many imagined neutral decisions stand beside the real ones, so that one click does not turn a queue over.
DOUBT = 3
WEIGHTS: Mapping[str, float] = {"field": 0.5, "places": 0.3, "word": 0.6}
AGAINST: Mapping[DismissalReason, tuple[str, ...]] = {
    DismissalReason.WRONG_TOPIC: ("field", "word"),
    DismissalReason.OUTSIDE_EXPERTISE: ("field", "word"),
    DismissalReason.PLACE: ("places",),
}


@dataclass(frozen=True)
class Decision:
    """One pair that was taken (no reason) or dismissed, with its traits."""

    traits: Sequence[str]
    is_taken: bool
    reason: DismissalReason | None = None


@dataclass(frozen=True)
class Lesson:
    """What is known of one trait: how often it was taken and how often dismissed for it."""

    trait: str
    taken: int
    dismissed: int

    @property
    def effect(self) -> float:
        """Return how much it speaks for a pair, between -1 and 1."""
        return (self.taken - self.dismissed) / (self.taken + self.dismissed + DOUBT)


def learn(decisions: Iterable[Decision]) -> dict[str, Lesson]:
    """Return what decisions teach, by trait; a trait of which they say nothing is left out."""
    counts: dict[str, list[int]] = {}
    for decision in decisions:
        against = AGAINST.get(decision.reason, ()) if decision.reason else ()
        for trait in decision.traits:
            if decision.is_taken:
                counts.setdefault(trait, [0, 0])[0] += 1
            elif trait.split(":", 1)[0] in against:
                counts.setdefault(trait, [0, 0])[1] += 1
    return {trait: Lesson(trait, taken, dismissed) for trait, (taken, dismissed) in counts.items()}


def learned_of(traits: Sequence[str], effects: Mapping[str, float]) -> float:
    """Return what the lessons add to the score of a pair: the mean effect of each kind of trait, weighted."""
    if not effects:
        return 0.0
    added = 0.0
    for kind, weight in WEIGHTS.items():
        known = [effects[trait] for trait in traits if trait in effects and trait.startswith(kind)]
        added += weight * sum(known) / len(known) if known else 0.0
    return added
