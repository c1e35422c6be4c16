"""Whether a search in one script finds what is written in the other."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.bench.texts import MeasuredListing, build_index
from backend.listings.tables import Kind
from models.bm25 import term_weights
from models.encoder import Encoder
from models.features import PairText
from models.index import Index
from models.rewording import SCRIPTS, in_script
from models.text import normalise, sentences, tokens

SHOWN = 10
LONGEST = 60  # characters; nobody types more into a search box
SHORTEST = 3


@dataclass(frozen=True)
class ScriptReport:
    """How often the other half of a pair is among the first ten found, each way and both."""

    seed: int
    pairs: int
    traditional_finds_simplified: float
    simplified_finds_traditional: float
    both: float
    same_script: float
    """How often a phrase in Simplified finds itself: what no folding of scripts could surpass."""
    missed: tuple[str, ...]
    """Some of the phrases that were not found, in the script that was looked for."""


def measure_scripts(
    listings: Sequence[MeasuredListing], *, pairs: int, seed: int, encoder: Encoder, script: str | None = None
) -> ScriptReport:
    """Take phrases from listings, write each in Traditional, and search for either among all of the other script."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    known = phrases_of(listings)
    phrases = chance.sample(known, min(pairs, len(known)))
    folded = [in_script(phrase, script or chance.choice(SCRIPTS)) for phrase in phrases]
    with TemporaryDirectory(prefix="jiqiao-bench-") as simplified, TemporaryDirectory() as traditional:
        among_simplified = build_index(Path(simplified), _documents(phrases), encoder)
        among_traditional = build_index(Path(traditional), _documents(folded), encoder)
        there = [_finds(among_simplified, encoder, phrase, str(n)) for n, phrase in enumerate(folded)]
        back = [_finds(among_traditional, encoder, phrase, str(n)) for n, phrase in enumerate(phrases)]
        same = [_finds(among_simplified, encoder, phrase, str(n)) for n, phrase in enumerate(phrases)]
    missed = [phrase for phrase, hit in zip(folded, there, strict=True) if not hit]
    missed += [phrase for phrase, hit in zip(phrases, back, strict=True) if not hit]
    count = len(phrases)
    return ScriptReport(
        seed=seed,
        pairs=count,
        traditional_finds_simplified=sum(there) / count,
        simplified_finds_traditional=sum(back) / count,
        both=sum(a and b for a, b in zip(there, back, strict=True)) / count,
        same_script=sum(same) / count,
        missed=tuple(missed[:SHOWN]),
    )


def phrases_of(listings: Sequence[MeasuredListing]) -> list[str]:
    """Return titles, keywords and short sentences of listings that differ in normal form and change with the script."""
    found: dict[str, str] = {}
    for entry in listings:
        body = entry.text.body
        parts = [entry.text.title, *entry.text.keywords.split(), *(body[a:b] for a, b in sentences(body))]
        for phrase in parts:
            if SHORTEST <= len(phrase) <= LONGEST and in_script(phrase, "s2t") != phrase:
                found.setdefault(normalise(phrase), phrase)
    return sorted(found.values())


def _documents(phrases: Sequence[str]) -> list[MeasuredListing]:
    return [MeasuredListing(str(number), Kind.SUPPLY, PairText(phrase)) for number, phrase in enumerate(phrases)]


def _finds(index: Index, encoder: Encoder, phrase: str, key: str) -> bool:
    vector = encoder.encode_queries([phrase])[0]
    found = index.retrieve(vector, term_weights(tokens(phrase)))
    return key in {candidate.id for candidate in found[:SHOWN]}
