"""Knowledge of the fields, written by hand: which problems which methods solve, and what is called what.

`topics/FIELD.tsv` lists a field's sub-topics; every fifth is kept for testing. `pairs/FIELD.jsonl` has demands in the
words of those who have a problem, each with the supply that solves it in the words of a laboratory and a distractor
that repeats the demand's words but solves something else. `thesaurus/NAME.tsv` has groups of terms, and
`associations/NAME.tsv` lists for one kind of problem a line the words of those who have it and of those who solve it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path

FOLDER = Path(__file__).parent
FIELDS = ("computing", "communications", "vehicles", "brain", "biopharma", "tcm")


@dataclass(frozen=True, slots=True)
class Topic:
    """A sub-topic of a field."""

    code: str
    name: str
    is_test: bool
    """Whether nothing is learned from its pairs, so that they can measure."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A demand, the supply that answers it, and a supply that only repeats its words."""

    topic: str
    demand_title: str
    demand: str
    supply_title: str
    supply: str
    distractor_title: str
    distractor: str


class GroupKind(Enum):
    """How the terms of a group belong together."""

    SYNONYM = "synonym"
    ABBREVIATION = "abbreviation"
    COLLOQUIAL = "colloquial"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that mean the same, the standard one first; or phrasings of a problem with the terms that answer it."""

    kind: GroupKind
    terms: tuple[str, ...]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Association:
    """Words of those who have one kind of problem, and words of those who solve it."""

    topic: str
    problem: tuple[str, ...]
    method: tuple[str, ...]


def names(kind: str) -> list[str]:
    """Return the names of the files of a kind, such as thesaurus, in order."""
    return sorted(path.stem for path in (FOLDER / kind).glob("*.tsv"))


def read_topics(field: str) -> list[Topic]:
    """Read a field's sub-topics.

    Raises: ValueError naming the line that is none.
    """
    topics = []
    for place, line in _lines(FOLDER / "topics" / f"{field}.tsv"):
        columns = line.split("\t")
        if len(columns) != len(fields(Topic)) or columns[2] not in ("train", "test"):
            raise ValueError(f"{place}: expected code, name and train or test")
        topics.append(Topic(columns[0], columns[1], is_test=columns[2] == "test"))
    return topics


def read_pairs(field: str) -> list[Pair]:
    """Read a field's pairs.

    Raises: ValueError naming the line that is none.
    """
    pairs = []
    for place, line in _lines(FOLDER / "pairs" / f"{field}.jsonl"):
        try:
            pairs.append(Pair(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{place}: {error}") from error
    return pairs


def read_groups(name: str) -> list[Group]:
    """Read a thesaurus.

    Raises: ValueError naming the line that is none.
    """
    groups = []
    for place, line in _lines(FOLDER / "thesaurus" / f"{name}.tsv"):
        kind, *rest = line.split("\t")
        try:
            terms, answers = (tuple(part.split("|")) if part else () for part in [*rest, ""][:2])
            groups.append(Group(GroupKind(kind), terms, answers))
        except ValueError as error:
            raise ValueError(f"{place}: expected kind, terms and answers ({error})") from error
    return groups


def read_associations(name: str) -> list[Association]:
    """Read the associations of a field or an industry.

    Raises: ValueError naming the line that is none.
    """
    found = []
    for place, line in _lines(FOLDER / "associations" / f"{name}.tsv"):
        columns = line.split("\t")
        if len(columns) != len(fields(Association)) or not all(columns):
            raise ValueError(f"{place}: expected topic, problem words and method words")
        found.append(Association(columns[0], tuple(columns[1].split("|")), tuple(columns[2].split("|"))))
    return found


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            yield f"{path.name}:{number}", line
