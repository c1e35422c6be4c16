"""Draw pairs of texts that belong together, as token ids, from the knowledge written by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from models.text import normalise
from models.training.encoder_pairs import Ids, tokenise_texts
from models.training.knowledge import (
    FIELDS,
    Association,
    Group,
    Pair,
    names,
    read_associations,
    read_groups,
    read_pairs,
    read_topics,
)

LEAST_SHARE, MOST_SHARE = 0.3, 0.9  # of the words of an association that are drawn together


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What may be learned from: nothing of the sub-topics that are kept for testing."""

    pairs: list[Pair]
    groups: list[Group]
    associations: list[Association]

    def texts(self) -> list[str]:
        """Return the running text: what words are counted in."""
        sides = ("demand", "supply", "distractor")
        return [
            *(side_text(pair, side) for pair in self.pairs for side in sides),
            *(normalise("，".join((*group.terms, *group.answers))).lower() for group in self.groups),
            *(normalise("，".join((*one.problem, *one.method))).lower() for one in self.associations),
        ]


def read_knowledge() -> Knowledge:
    """Read all that may be learned from."""
    tests = {topic.code for field in FIELDS for topic in read_topics(field) if topic.is_test}
    return Knowledge(
        pairs=[pair for field in FIELDS for pair in read_pairs(field) if pair.topic not in tests],
        groups=[group for name in names("thesaurus") for group in read_groups(name)],
        associations=[one for name in names("associations") for one in read_associations(name)],
    )


def side_text(pair: Pair, side: str) -> str:
    """Return title and text of one side of a pair, in normal form and lower case."""
    return normalise(f"{getattr(pair, f'{side}_title')}\n{getattr(pair, side)}").lower()


Draw = tuple[list[Ids], ...]
"""Left sides, right sides and, for pairs that have one, distractors."""


class KnowledgeSource:
    """Draws knowledge in random order; each text of a batch but the right one is a wrong one for all others."""

    def __init__(self, knowledge: Knowledge, tokenizer: Tokenizer, *, dropout: float, rng: np.random.Generator) -> None:
        """Drop each token of a text with chance `dropout`."""
        self._dropout, self._rng = dropout, rng
        sides = ("demand", "supply", "distractor")
        self._pairs = [tokenise_texts([side_text(pair, side) for pair in knowledge.pairs], tokenizer) for side in sides]
        self._groups = [
            (self._terms(one.terms, tokenizer), self._terms(one.answers, tokenizer)) for one in knowledge.groups
        ]
        self._associations = [
            (self._terms(one.problem, tokenizer), self._terms(one.method, tokenizer)) for one in knowledge.associations
        ]
        self._kinds: dict[str, Callable[[int], Draw]] = {
            "written-pairs": self._draw_pairs,
            "thesaurus": self._draw_groups,
            "associations": self._draw_associations,
        }

    def draw(self, kind: str, size: int) -> Draw:
        """Return at most `size` sides of one kind.

        Raises: KeyError if there is no such kind.
        """
        return self._kinds[kind](size)

    def _draw_pairs(self, size: int) -> Draw:
        chosen = self._rng.permutation(len(self._pairs[0]))[:size]
        return tuple([self._thinned(side[number]) for number in chosen] for side in self._pairs)

    def _draw_groups(self, size: int) -> Draw:
        left, right = [], []
        for number in self._rng.permutation(len(self._groups))[:size]:
            terms, answers = self._groups[number]
            if answers:
                one, other = self._one_of(terms), self._one_of(answers)
            else:
                first, second = self._rng.choice(len(terms), size=2, replace=False)
                one, other = terms[first], terms[second]
            if len(one) and len(other):
                left.append(one)
                right.append(other)
        return left, right

    def _draw_associations(self, size: int) -> Draw:
        chosen = self._rng.permutation(len(self._associations))[:size]
        return tuple([self._some_of(self._associations[number][side]) for number in chosen] for side in (0, 1))

    def _thinned(self, ids: Ids) -> Ids:
        kept = ids[self._rng.random(len(ids)) >= self._dropout]
        return kept if len(kept) else ids

    def _one_of(self, terms: Sequence[Ids]) -> Ids:
        return terms[int(self._rng.integers(len(terms)))]

    def _some_of(self, words: Sequence[Ids]) -> Ids:
        share = self._rng.uniform(LEAST_SHARE, MOST_SHARE)
        chosen = self._rng.permutation(len(words))[: max(1, round(len(words) * share))]
        return np.concatenate([words[number] for number in chosen])

    @staticmethod
    def _terms(terms: Sequence[str], tokenizer: Tokenizer) -> list[Ids]:
        return tokenise_texts([normalise(term).lower() for term in terms], tokenizer)
