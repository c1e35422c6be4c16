"""How many reworded copies are found before they are published, and how many real listings are taken for copies."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.bench.texts import MeasuredListing, build_index
from backend.listings.tables import Kind
from backend.matching.duplicates import find_same
from backend.matching.service import SHOWN_DUPLICATES
from models.documents import IndexFilter
from models.encoder import Encoder
from models.features import PairText
from models.rewording import Change, everyday_words, reword
from models.term_table import TermTable
from models.text import normalise

LONG_RUN = 10  # characters; shorter ones are the phrases of the trade
REPEATED_SHARE = 0.8  # of the shorter body, in long runs that the other has too: somebody copied it
CHANGES: tuple[tuple[Change, ...], ...] = (
    *((change,) for change in Change),
    (Change.SYNONYMS, Change.ORDER),
    (Change.SCRIPT, Change.DROPPED),
    (Change.SYNONYMS, Change.SCRIPT, Change.NUMBERS),
    (Change.SYNONYMS, Change.DROPPED, Change.NUMBERS),
    tuple(Change),
)


@dataclass(frozen=True)
class DuplicateReport:
    """What was found of what was planted, and what was taken for a copy among listings as they are."""

    seed: int
    listings: int
    planted: int
    found_share: float
    found_by_change: dict[str, float]
    """Share found of the copies that were changed in these ways, joined by +."""
    flagged: int
    """Listings for which at least one other listing was shown as a likely copy."""
    flagged_share: float
    repeats: int
    """Those of them whose text another listing does repeat, in runs of 10 characters and more: no false alarms."""
    false_alarm_share: float


Finder = Callable[[PairText, Kind, str | None], list[str]]


def measure_duplicates(
    listings: Sequence[MeasuredListing], *, planted: int, seed: int, encoder: Encoder, table: TermTable
) -> DuplicateReport:
    """Plant reworded copies and look for each; then look for copies of every listing among all the others."""
    texts = {entry.key: entry.text for entry in listings}
    with TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        index = build_index(Path(folder), listings, encoder)

        def find(text: PairText, kind: Kind, exclude: str | None) -> list[str]:
            where = IndexFilter(kind=kind.value, exclude=frozenset({exclude} if exclude else ()))
            found = find_same(
                index, encoder, table, text, where=where, texts_of=lambda ids: {id_: texts[id_] for id_ in ids}
            )
            return found[:SHOWN_DUPLICATES]

        by_change = _found(_sources(listings, planted, seed), find, seed=seed)
        flagged = {entry.key: same for entry in listings if (same := find(entry.text, entry.kind, entry.key))}
    repeats = sum(any(repeats_text(texts[key], texts[other]) for other in same) for key, same in flagged.items())
    hits = [hit for found in by_change.values() for hit in found]
    return DuplicateReport(
        seed=seed,
        listings=len(listings),
        planted=len(hits),
        found_share=sum(hits) / len(hits),
        found_by_change={name: sum(found) / len(found) for name, found in by_change.items()},
        flagged=len(flagged),
        flagged_share=len(flagged) / len(listings),
        repeats=repeats,
        false_alarm_share=(len(flagged) - repeats) / len(listings),
    )


def _sources(listings: Sequence[MeasuredListing], planted: int, seed: int) -> list[MeasuredListing]:
    """Return the listings to copy: drawn without repeating one before all were drawn."""
    chance, drawn = random.Random(seed), list[MeasuredListing]()  # noqa: S311 - reproducible, guards nothing
    while len(drawn) < planted:
        drawn += chance.sample(listings, min(len(listings), planted - len(drawn)))
    return drawn


def _found(sources: Sequence[MeasuredListing], find: Finder, *, seed: int) -> dict[str, list[bool]]:
    by_change: dict[str, list[bool]] = {}
    for number, entry in enumerate(sources):
        changes = CHANGES[number % len(CHANGES)]
        copy = reword(entry.text, changes=changes, seed=seed + number, synonyms=everyday_words())
        by_change.setdefault("+".join(changes), []).append(entry.key in find(copy, entry.kind, None))
    return by_change


def repeats_text(one: PairText, other: PairText) -> bool:
    """Tell whether one body stands in another almost word for word; the titles do not matter."""
    first, second = normalise(one.body), normalise(other.body)
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    repeated = sum(block.size for block in blocks if block.size >= LONG_RUN)
    return repeated >= REPEATED_SHARE * max(1, min(len(first), len(second)))
