"""Write the thesaurus that is shipped from the groups written by hand.

    python -m models.training.thesaurus

Takes a second. What could mean several things is left out: equating it wrongly does more harm than not knowing it.
"""

import argparse
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from models.text import HAN_RUN, normalise
from models.thesaurus import GROUPS, SHIPPED, Group, lower
from models.training import knowledge
from models.training.knowledge import GroupKind

SHORTEST_LATIN = 3  # letters; shorter abbreviations mean something else in every field: FC, Tg, EE
SHORTEST = 2  # characters of any term
# Words of daily speech, each of which means one thing in the workshop it was noted in and others elsewhere.
DAILY = frozenset(
    [
        *("片子", "板子", "条子", "版子", "罐子", "大锅", "白点", "白烟", "毛刺", "堵点", "冒烟", "断片"),
        *("发抖", "出油", "漏油", "出峰", "喂料", "气缸", "软化", "火候", "生虫", "发黏", "粘手", "挂壁"),
        *("碰撞", "爬行", "发汗", "软点", "卡死", "转圈", "黑粉", "分层", "缺氧", "漏包", "丢数", "炸点"),
        *("粉饼", "早衰", "保鲜", "守时", "化成", "隔膜", "废罐", "起泡", "剥落"),
    ]
)
ALIKE_SHARE = 0.5  # of the characters of the shorter name in the longer: 激光选区熔化, 选区激光熔化


def read_groups() -> list[Group]:
    """Return the groups as they are shipped: in normal form, without doubtful terms, none within another."""
    kinds = [(group, group.kind) for name in knowledge.names("thesaurus") for group in knowledge.read_groups(name)]
    same = [_normal(group.terms) for group, kind in kinds if kind is not GroupKind.PROBLEM]
    doubtful = set(find_ambiguous(same))
    kept = [tuple(term for term in terms if is_telling(term) and lower(term) not in doubtful) for terms in same]
    problems = [
        Group(_normal(group.terms), _normal(group.answers)) for group, kind in kinds if kind is GroupKind.PROBLEM
    ]
    return [Group(terms) for terms in _without_parts(kept)] + [
        Group(phrasings, answers)
        for problem in problems
        if (phrasings := tuple(filter(is_telling, problem.terms)))
        and (answers := tuple(filter(is_telling, problem.answers)))
    ]


def is_telling(term: str) -> bool:
    """Tell whether a term is long and special enough to mean one thing."""
    return len(term) >= (SHORTEST if HAN_RUN.search(term) else SHORTEST_LATIN) and term not in DAILY


def find_ambiguous(groups: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the terms, in lower case, that stand in groups of different meaning: ADC, SOC, LFP, 镰刀弯.

    Groups mean the same if they share another term, or have names alike. A Han term that heads a group is the
    standard name of one concept, and means it in every group.
    """
    holding = defaultdict(list)
    for terms in groups:
        for term in terms:
            holding[lower(term)].append(terms)
    heads = Counter(lower(terms[0]) for terms in groups if terms)
    for term, held in holding.items():
        if term in heads and HAN_RUN.match(term):
            continue
        others = [[lower(name) for name in names if lower(name) != term] for names in held]
        if any(not _alike(one, other) for one, other in combinations(others, 2)):
            yield term


def _alike(one: Iterable[str], other: Iterable[str]) -> bool:
    return any(a == b or (_is_han(a, b) and _share(a, b) >= ALIKE_SHARE) for a in one for b in other)


def _is_han(*terms: str) -> bool:
    return all(HAN_RUN.search(term) for term in terms)


def _share(one: str, other: str) -> float:
    shorter, longer = sorted((set(one), set(other)), key=len)
    return len(shorter & longer) / len(shorter)


def _normal(terms: Iterable[str]) -> tuple[str, ...]:
    """Return terms in normal form, in which some become one."""
    forms = {lower(form): form for form in map(normalise, reversed(tuple(terms)))}
    return tuple(reversed(forms.values()))


def _without_parts(groups: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the groups of two terms or more that are no part of another, each once."""
    sets = [frozenset(map(lower, terms)) for terms in groups]
    holding = defaultdict(list)
    for place, own in enumerate(sets):
        for term in own:
            holding[term].append(place)
    for place, (terms, own) in enumerate(zip(groups, sets, strict=True)):
        rivals = (at for term in own for at in holding[term])
        is_part = any(own < sets[at] or (own == sets[at] and at < place) for at in rivals)
        if len(own) > 1 and not is_part:
            yield terms


def to_text(groups: Iterable[Group]) -> str:
    """Return groups as `Thesaurus.load` reads them."""
    lines = ("\t".join("|".join(part) for part in (group.terms, group.answers) if part) for group in groups)
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    output: Path = parser.parse_args().output
    groups = read_groups()
    # Without the time of writing, so that the same groups give the same bytes.
    content = gzip.compress(to_text(groups).encode(), mtime=0)
    output.mkdir(parents=True, exist_ok=True)
    (output / GROUPS).write_bytes(content)
    print(f"{len(groups)} groups, {len(content):,} bytes")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
