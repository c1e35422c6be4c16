"""What a match costs: one new demand against many supplies, beside BM25 alone and brute force in the same run."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TypeVar

import numpy as np
from tokenizers import Tokenizer

from backend.bench.texts import ANYWHERE, MeasuredListing, embed, identity
from backend.listings.tables import Kind
from backend.matching.pipeline import CANDIDATES, RERANKED, judge, retrieve, whole_text
from models.bm25 import term_weights
from models.documents import IndexDocument, IndexFilter, Vector
from models.encoder import WEIGHTS, Encoder
from models.features import PairText
from models.index import Index
from models.relevance import PairScorer
from models.text import normalise, sentences, tokens

SUPPLIES = IndexFilter(kind="supply")
LINES = 8  # sentences of a supply: about as long as those of the demonstration market
MILLISECONDS = 1000.0

T = TypeVar("T")


@dataclass(frozen=True)
class MatchReport:
    """Milliseconds of CPU, the median over demands, and ratios."""

    seed: int
    supplies: int
    demands: int
    tokenizer_ms: float
    """Normal form and tokenizer alone, of one demand."""
    encoding_ms: float
    encoding_to_tokenizer: float
    retrieval_ms: float
    """Encoding, terms, dense and BM25 candidates, fused."""
    judging_ms: float
    """Of the first candidates as pairs, none of which was in memory."""
    match_ms: float
    bm25_ms: float
    """Terms and BM25 candidates alone."""
    brute_force_ms: float
    """Encoding, and the cosine with every supply."""
    match_to_bm25: float
    match_to_brute_force: float


def measure_matching(
    listings: Sequence[MeasuredListing], *, supplies: int, demands: int, seed: int, encoder: Encoder, scorer: PairScorer
) -> MatchReport:
    """Make a market of many supplies out of the sentences of listings, and match demands against it one by one."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    asked = [entry.text for entry in listings if entry.kind is Kind.DEMAND]
    asked = chance.sample(asked, min(demands, len(asked)))
    made = _Market([entry.text for entry in listings if entry.kind is Kind.SUPPLY], encoder, chance)
    with TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        index = made.index(Path(folder), supplies)
        return _measured(asked, made, index, encoder, scorer, seed=seed)


def _measured(
    asked: list[PairText], made: "_Market", index: Index, encoder: Encoder, scorer: PairScorer, *, seed: int
) -> MatchReport:
    wholes = [whole_text(text) for text in asked]
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()

    def match(text: PairText) -> None:
        found = retrieve(index, encoder, text, where=SUPPLIES)[:RERANKED]
        judge(scorer, text, Kind.DEMAND, [made.texts[int(candidate.id)] for candidate in found])

    def words(text: str) -> None:
        index.retrieve(None, term_weights(tokens(text)), SUPPLIES, CANDIDATES)

    def all_cosines(text: str) -> None:
        cosines = made.vectors @ encoder.encode_queries([text])[0]
        np.argpartition(-cosines, min(CANDIDATES, len(cosines) - 1))

    match(asked[0])
    tokenizing = _median(lambda text: tokenizer.encode_batch_fast([normalise(text)], add_special_tokens=False), wholes)
    encoding = _median(lambda text: encoder.encode_queries([text]), wholes)
    retrieval = _median(lambda text: retrieve(index, encoder, text, where=SUPPLIES), asked)
    matching, bm25, brute = _median(match, asked), _median(words, wholes), _median(all_cosines, wholes)
    return MatchReport(
        seed=seed,
        supplies=len(made.texts),
        demands=len(asked),
        tokenizer_ms=tokenizing,
        encoding_ms=encoding,
        encoding_to_tokenizer=encoding / tokenizing,
        retrieval_ms=retrieval,
        judging_ms=matching - retrieval,
        match_ms=matching,
        bm25_ms=bm25,
        brute_force_ms=brute,
        match_to_bm25=matching / bm25,
        match_to_brute_force=matching / brute,
    )


def _median(work: Callable[[T], object], over: Sequence[T]) -> float:
    """Return the median CPU time in milliseconds of one piece of work, in all threads."""
    times = []
    for one in over:
        start = process_time()
        work(one)
        times.append(process_time() - start)
    return float(np.median(times)) * MILLISECONDS


class _Market:
    """Supplies made of the titles and sentences of real ones, drawn by chance; lines are read and embedded once."""

    def __init__(self, sources: Sequence[PairText], encoder: Encoder, chance: random.Random) -> None:
        self._encoder, self._chance = encoder, chance
        self._titles = [text.title for text in sources]
        self._keywords = [text.keywords for text in sources]
        self._lines = list(dict.fromkeys(text.body[a:b] for text in sources for a, b in sentences(text.body)))
        self._tokens: dict[str, list[str]] = {}
        self.texts: list[PairText] = []
        self.vectors: Vector = np.zeros((0, encoder.dimension), np.float32)

    def index(self, folder: Path, count: int) -> Index:
        """Make so many supplies and an index of them."""
        titles, lines = embed(self._titles, self._encoder), embed(self._lines, self._encoder)
        normal = {line: normalise(line) for line in (*self._titles, *self._keywords, *self._lines)}
        rows = np.zeros((count, self._encoder.dimension), np.float32)
        documents = []
        for number in range(count):
            source = self._chance.randrange(len(self._titles))
            chosen = self._chance.sample(range(len(self._lines)), min(LINES, len(self._lines)))
            row = titles[source] + lines[chosen].sum(axis=0)
            rows[number] = row / max(float(np.linalg.norm(row)), 1e-9)
            text = PairText(self._titles[source], self._keywords[source], "\n".join(self._lines[at] for at in chosen))
            self.texts.append(text)
            documents.append(
                IndexDocument(
                    id=str(number),
                    kind="supply",
                    title=normal[text.title],
                    keywords=normal[text.keywords],
                    body="\n".join(normal[self._lines[at]] for at in chosen),
                    vector=rows[number],
                    region=ANYWHERE,
                    content_hash=str(number),
                )
            )
        self.vectors = rows
        return Index.build(folder, documents, sequence=0, identity=identity(self._encoder), tokenize=self._read)

    def _read(self, text: str) -> list[str]:
        """Return the terms of a text whose lines are known; no term reaches over the end of a line."""
        found: list[str] = []
        for line in text.split("\n"):
            if line not in self._tokens:
                self._tokens[line] = tokens(line)
            found += self._tokens[line]
        return found
