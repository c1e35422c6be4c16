"""Terms of a demand that a supply says in other words, and problems of a demand that a term of the supply answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from models.features import PairText
from models.text import normalise
from models.thesaurus import Occurrence, Thesaurus, lower, place_of

KEPT = 256  # texts lately read: one listing is held against ten others in a row


class Relation(StrEnum):
    """How the two terms belong together."""

    SAME = "same"
    ANSWER = "answer"


_SIGNS = {Relation.SAME: "=", Relation.ANSWER: "→"}


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A term of a demand and one of its supply, each as it stands in the normal form of its own side."""

    demand_term: str
    supply_term: str
    relation: Relation

    @property
    def text(self) -> str:
        """Return both as people read them: 电池管理系统 = BMS, 鼓包 → 产气抑制添加剂."""
        return f"{self.demand_term} {_SIGNS[self.relation]} {self.supply_term}"


def find_counterparts(thesaurus: Thesaurus, demand: PairText, supply: PairText, limit: int = 4) -> list[Counterpart]:
    """Return at most `limit` terms that the two sides say differently, in the order of the demand, none twice.

    Nothing that both sides say alike is told, nor a term that is a part of its counterpart.
    """
    (asked, asked_lower), (offered, offered_lower) = _read(demand), _read(supply)
    found: dict[str, Counterpart] = {}
    for term in _terms(thesaurus, demand):
        if len(found) == limit:
            break
        if term.term in found or place_of(term.term, offered_lower) >= 0:
            continue
        for name, relation in _others(thesaurus, term):
            other = lower(name)
            place = place_of(other, offered_lower)
            is_new = other not in term.term and term.term not in other and place_of(other, asked_lower) < 0
            if place >= 0 and is_new:
                theirs = offered[place : place + len(other)]
                found[term.term] = Counterpart(asked[term.start : term.end], theirs, relation)
                break
    return list(found.values())


def _others(thesaurus: Thesaurus, found: Occurrence) -> Iterator[tuple[str, Relation]]:
    yield from ((other, Relation.SAME) for other in thesaurus.equivalents(found.term))
    yield from ((other, Relation.ANSWER) for other in thesaurus.answers(found.term))


@lru_cache(maxsize=KEPT)
def _terms(thesaurus: Thesaurus, text: PairText) -> tuple[Occurrence, ...]:
    return tuple(thesaurus.find(_read(text)[0]))


@lru_cache(maxsize=KEPT)
def _read(text: PairText) -> tuple[str, str]:
    """Return the normal form of a text, and the same in lower case, with the same places."""
    normal = normalise(f"{text.title}\n{text.keywords}\n{text.body}")
    return normal, lower(normal)
