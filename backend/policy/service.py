"""Suggests priority fields from the terms that a text names and from what was learned of texts of known fields."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from backend.policy.catalogue import Catalogue
from models.fields import COMBINATION, SHIPPED, SIGNS, Combination, SignScores, features_of

# A field is suggested on the weight of one term that is its own alone.
_FLOOR = 1.0
# A second field is suggested when its evidence is not far behind the best one's.
_SHARE_OF_BEST = 0.5
# Three supporting terms weigh as much as one of the field's own, and a little more.
_SUPPORTING = 0.4
# Two supporting terms, of which one is shared with another field.
_SEVERAL = 0.6
# Chances from which a field is suggested: where a term of its own was met, several supporting ones, or hardly any.
_LIKELY, _LIKELIER, _SURE = 0.4, 0.6, 0.9
SHOWN_WORDS = 4
_LATIN_WORD = re.compile(r"[0-9a-z]")
# Every blank but those between two Latin words: 5G 基站 and 5G基站 are the same.
_BLANK = re.compile(r"(?<![0-9a-z])\s+|\s+(?![0-9a-z])")


@dataclass(frozen=True)
class FieldSuggestion:
    """A field that a text seems to belong to, and the terms that speak for it, the weightiest first."""

    field: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class FieldModel:
    """What was learned of the fields: from texts of known fields, and how that is combined with the terms."""

    signs: SignScores
    combination: Combination


@cache
def shipped_model() -> FieldModel:
    """Return the model that comes with the project."""
    return FieldModel(SignScores.load(SHIPPED / SIGNS), Combination.load(SHIPPED / COMBINATION))


def suggest_fields(text: str, catalogue: Catalogue) -> list[FieldSuggestion]:
    """Suggest the priority fields of a text in normal form, the likeliest first; none for a text about other things.

    What the terms of the fields say is weighed together with what was learned; `jiqiao evaluate fields` measures it.
    """
    model, evidence = shipped_model(), evidence_of(text, catalogue)
    features = field_features(text, catalogue, model.signs)
    chances = dict(zip(model.signs.fields, model.combination.chances(features[None, :])[0].tolist(), strict=True))
    chosen = sorted(suggested(chances, evidence), key=lambda field: (-chances[field], field))
    return [
        FieldSuggestion(
            field, _heaviest_first(evidence.get(field, {})) or model.signs.telling(text, field, limit=SHOWN_WORDS)
        )
        for field in chosen
    ]


def field_features(text: str, catalogue: Catalogue, learned: SignScores) -> NDArray[np.float64]:
    """Return what is known of a text's fields (2 f,): what was learned, and the evidence of the terms it names."""
    evidence = evidence_of(text, catalogue)
    return features_of(
        learned.scores(_folded(text)), [math.fsum(evidence.get(field, {}).values()) for field in learned.fields]
    )


def suggested(chances: Mapping[str, float], evidence: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the fields to suggest: those that are likely enough, surer the less the terms of the field say."""

    def least(field: str) -> float:
        met = math.fsum(evidence.get(field, {}).values())
        return _LIKELY if met >= _FLOOR else _LIKELIER if met >= _SEVERAL else _SURE

    return [field for field in chances if chances[field] >= least(field)]


def suggest_by_terms(text: str, catalogue: Catalogue) -> list[str]:
    """Suggest fields by their terms alone, the likeliest first: the baseline of what was learned.

    A term listed by f of the F fields weighs 1 - ln f / ln F in each of them, and two fifths of that where it only
    supports the field. How often it is met does not matter.
    """
    scores = {field: math.fsum(weights.values()) for field, weights in evidence_of(text, catalogue).items()}
    least = max(_FLOOR, _SHARE_OF_BEST * max(scores.values(), default=0.0))
    return sorted((field for field in scores if scores[field] >= least), key=lambda field: (-scores[field], field))


def evidence_of(text: str, catalogue: Catalogue) -> dict[str, dict[str, float]]:
    """Weigh the terms met in a text: field code to term to weight."""
    evidence: dict[str, dict[str, float]] = {}
    for term in set(_longest_terms(text, {_folded(term): term for term in catalogue.fields_of_terms})):
        fields = catalogue.fields_of_terms[term]
        rarity = 1 - math.log(len(fields)) / math.log(len(catalogue.fields))
        for field in fields:
            weight = rarity if term in field.vocabulary else _SUPPORTING * rarity
            evidence.setdefault(field.code, {})[term] = weight
    return evidence


def _longest_terms(text: str, terms: Mapping[str, str]) -> Iterator[str]:
    """Yield the terms met from left to right, always the longest that begins at a place, none inside another."""
    folded = _folded(text)
    longest = max(map(len, terms), default=0)
    start = 0
    while start < len(folded):
        ends = range(min(len(folded), start + longest), start, -1)
        end = next((end for end in ends if folded[start:end] in terms and _is_whole(folded, start, end)), None)
        if end is not None:
            yield terms[folded[start:end]]
        start = end or start + 1


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether a span cuts no Latin word or number in two: SOC stands in 电池SOC, not in socket."""
    return not any(
        0 < edge < len(text) and _LATIN_WORD.match(text[edge - 1]) and _LATIN_WORD.match(text[edge])
        for edge in (start, end)
    )


def _folded(text: str) -> str:
    return _BLANK.sub("", text.casefold())


def _heaviest_first(weights: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(weights, key=lambda term: (-weights[term], term)))
