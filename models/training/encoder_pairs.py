"""Draw pairs of texts that belong together, as token ids, from the papers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.training.encoder_corpus import Paper

Ids = NDArray[np.int32]
Pair = tuple[Ids, Ids]

FEWEST_TITLE = 3  # tokens
FEWEST_PARAGRAPH = 20  # tokens; shorter paragraphs are captions and formulas
MOST_TOKENS = 128  # of one side of a pair; longer texts are cut at random places
SHORTEST_SPAN, LONGEST_SPAN = 6, 15  # tokens: the lengths of titles
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class TokenisedPaper:
    """A paper as token ids: (n,) int32 each."""

    title: Ids
    abstract: Ids
    keywords: Ids
    paragraphs: list[Ids]
    """Those of at least `FEWEST_PARAGRAPH` tokens, in order."""


def tokenise(papers: Sequence[Paper], tokenizer: Tokenizer) -> list[TokenisedPaper]:
    """Return the papers as token ids."""

    def ids(texts: Sequence[str]) -> list[Ids]:
        return tokenise_texts(texts, tokenizer)

    titles, abstracts = ids([paper.title for paper in papers]), ids([paper.abstract for paper in papers])
    keywords = ids([paper.keywords for paper in papers])
    paragraphs = iter(ids([text for paper in papers for text in paper.paragraphs]))
    return [
        TokenisedPaper(title, abstract, words, [p for p in own if len(p) >= FEWEST_PARAGRAPH])
        for title, abstract, words, own in zip(
            titles, abstracts, keywords, ([next(paragraphs) for _ in paper.paragraphs] for paper in papers), strict=True
        )
    ]


def tokenise_texts(texts: Sequence[str], tokenizer: Tokenizer) -> list[Ids]:
    """Return texts in normal form and lower case as token ids."""
    found: list[Ids] = []
    for start in range(0, len(texts), _CHUNK):
        encodings = tokenizer.encode_batch_fast(list(texts[start : start + _CHUNK]), add_special_tokens=False)
        found += [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]
    return found


class PairSource:
    """Draws batches of pairs of one kind; within a batch no paper is drawn twice, so that others are true negatives."""

    def __init__(self, papers: Sequence[TokenisedPaper], *, dropout: float, rng: np.random.Generator) -> None:
        """Drop each token of a text with chance `dropout`: what is learned must not hang on one word."""
        self._papers = papers
        self._dropout = dropout
        self._rng = rng
        self._kinds: dict[str, Callable[[TokenisedPaper], Pair | None]] = {
            "title-abstract": lambda paper: (paper.title, paper.abstract),
            "keywords-abstract": lambda paper: (paper.keywords, paper.abstract),
            "title-paragraph": lambda paper: self._with_paragraph(paper.title, paper),
            "neighbours": self._neighbours,
            "same-paper": self._two_paragraphs,
            "span-rest": self._span_and_rest,
        }

    def draw(self, kind: str, size: int) -> tuple[list[Ids], list[Ids]]:
        """Return at most `size` left and right sides of pairs of one kind.

        Raises: KeyError if there is no such kind.
        """
        left, right = [], []
        for number in self._rng.permutation(len(self._papers)):
            pair = self._kinds[kind](self._papers[number])
            if pair is None or min(map(len, pair)) < FEWEST_TITLE:
                continue
            left.append(self._thinned(pair[0]))
            right.append(self._thinned(pair[1]))
            if len(left) == size:
                break
        return left, right

    def _thinned(self, ids: Ids) -> Ids:
        start = self._rng.integers(0, max(1, len(ids) - MOST_TOKENS + 1))
        ids = ids[start : start + MOST_TOKENS]
        kept = ids[self._rng.random(len(ids)) >= self._dropout]
        return kept if len(kept) else ids

    def _with_paragraph(self, ids: Ids, paper: TokenisedPaper) -> Pair | None:
        return (ids, paper.paragraphs[self._rng.integers(len(paper.paragraphs))]) if paper.paragraphs else None

    def _neighbours(self, paper: TokenisedPaper) -> Pair | None:
        if len(paper.paragraphs) < 2:  # noqa: PLR2004 - a pair
            return None
        first = self._rng.integers(len(paper.paragraphs) - 1)
        return paper.paragraphs[first], paper.paragraphs[first + 1]

    def _two_paragraphs(self, paper: TokenisedPaper) -> Pair | None:
        if len(paper.paragraphs) < 2:  # noqa: PLR2004 - a pair
            return None
        first, second = self._rng.choice(len(paper.paragraphs), size=2, replace=False)
        return paper.paragraphs[first], paper.paragraphs[second]

    def _span_and_rest(self, paper: TokenisedPaper) -> Pair | None:
        if not paper.paragraphs:
            return None
        ids = paper.paragraphs[self._rng.integers(len(paper.paragraphs))]
        length = int(self._rng.integers(SHORTEST_SPAN, LONGEST_SPAN + 1))
        start = int(self._rng.integers(0, len(ids) - length + 1))
        return ids[start : start + length], np.concatenate([ids[:start], ids[start + length :]])
