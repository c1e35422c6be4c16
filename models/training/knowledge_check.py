"""Check the written knowledge: that it is well-formed, even, free of repetition and of give-away words.

Run as `python -m models.training.knowledge_check [NAME ...]`; without names everything is checked.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from models.text import HAN_RUN
from models.training.knowledge import (
    FIELDS,
    Association,
    Group,
    GroupKind,
    Pair,
    Topic,
    names,
    read_associations,
    read_groups,
    read_pairs,
    read_topics,
)

TOPICS_EACH = 80
PAIRS_PER_TOPIC = (4, 6)
MOST_ANSWERED = 0.08  # of the demand's pairs of Han that its answer may repeat: meaning, not words, must find it
LEAST_REPEATED = 0.14  # of them that the distractor must repeat: it is there to deceive a comparison of words
LENGTHS = {"title": (5, 34), "text": (25, 150)}
NEAR_COPY = 0.6  # of the pairs of Han of two demands, or of two supplies, that make one a rewording of the other
TERM_LENGTHS = (1, 40)
FEWEST_WORDS = 4  # of a side of an association


def main(chosen: Sequence[str]) -> int:
    """Print every problem and a line of counts for each file; return 1 if there is any problem."""
    fields = [name for name in chosen if name in FIELDS] or ([] if chosen else list(FIELDS))
    tests = {topic.code for field in FIELDS for topic in read_topics(field) if topic.is_test}
    problems = []
    for field in fields:
        topics, pairs = read_topics(field), read_pairs(field)
        problems += [f"topics/{field}: {problem}" for problem in topic_problems(field, topics)]
        problems += [f"pairs/{field}: {problem}" for problem in pair_problems(topics, pairs)]
        print(f"pairs/{field}: {len(topics)} topics, {len(pairs)} pairs")  # noqa: T201 - a command's answer
    for name in chosen or names("thesaurus"):
        groups = read_groups(name)
        problems += [f"thesaurus/{name}: {problem}" for problem in group_problems(groups)]
        kinds = Counter(group.kind.value for group in groups)
        print(f"thesaurus/{name}: {len(groups)} groups ({', '.join(f'{n} {kind}' for kind, n in kinds.items())})")  # noqa: T201 - a command's answer
    for name in chosen or names("associations"):
        associations = read_associations(name)
        problems += [f"associations/{name}: {problem}" for problem in association_problems(associations, tests)]
        print(f"associations/{name}: {len(associations)} lines")  # noqa: T201 - a command's answer
    print(*problems, sep="\n")  # noqa: T201 - a command's answer
    print(f"{len(problems)} problems")  # noqa: T201 - a command's answer
    return 1 if problems else 0


def topic_problems(field: str, topics: Sequence[Topic]) -> Iterator[str]:
    """Yield what is wrong with a field's list of topics."""
    if [topic.code for topic in topics] != [f"{field}-{n:02d}" for n in range(1, TOPICS_EACH + 1)]:
        yield f"codes must run from {field}-01 to {field}-{TOPICS_EACH}"
    for topic in topics:
        if topic.is_test != (int(topic.code.rpartition("-")[2]) % 5 == 0):
            yield f"{topic.code}: every fifth topic is test, the others are train"
    yield from (f"topic named twice: {name}" for name in _repeated(topic.name for topic in topics))


def pair_problems(topics: Sequence[Topic], pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield what is wrong with a field's pairs: coverage, lengths, words given away or not repeated, rewordings."""
    counts = Counter(pair.topic for pair in pairs)
    for topic in topics:
        if not PAIRS_PER_TOPIC[0] <= counts[topic.code] <= PAIRS_PER_TOPIC[1]:
            yield f"{topic.code} has {counts[topic.code]} pairs"
    yield from (f"unknown topic {code}" for code in sorted(set(counts) - {topic.code for topic in topics}))
    for pair in pairs:
        yield from (f"{pair.demand_title}: {problem}" for problem in _problems_of_pair(pair))
    for kind in ("demand", "supply", "distractor"):
        yield from _near_copies([f"{getattr(pair, f'{kind}_title')} {getattr(pair, kind)}" for pair in pairs])


def group_problems(groups: Sequence[Group]) -> Iterator[str]:
    """Yield what is wrong with a thesaurus: terms that are too short, too long, or in two groups of one kind."""
    for group in groups:
        for term in chain(group.terms, group.answers):
            if not TERM_LENGTHS[0] < len(term) <= TERM_LENGTHS[1]:
                yield f"length of {term}"
        if (group.kind is GroupKind.PROBLEM) != bool(group.answers):
            yield f"answers belong to problems, and only to them: {'|'.join(group.terms)}"
        if group.kind is not GroupKind.PROBLEM and len(group.terms) < len(("a term", "another")):
            yield f"a group of one: {group.terms[0]}"
    for kind in GroupKind:
        terms = chain.from_iterable(group.terms for group in groups if group.kind is kind)
        yield from (f"{kind.value} has {term} twice" for term in _repeated(terms))


def association_problems(associations: Sequence[Association], tests: set[str]) -> Iterator[str]:
    """Yield what is wrong with associations: those of a sub-topic kept for testing, too few words, repeated lines."""
    for one in associations:
        if one.topic in tests:
            yield f"{one.topic} is kept for testing: {one.problem[0]}"
        if min(len(one.problem), len(one.method)) < FEWEST_WORDS:
            yield f"fewer than {FEWEST_WORDS} words on a side: {one.problem[0]}"
    yield from (f"a line twice: {line}" for line in _repeated("|".join(one.problem) for one in associations))


def bigrams(text: str) -> set[str]:
    """Return the pairs of neighbouring Han of a text."""
    return {run[n : n + 2] for run in HAN_RUN.findall(text) for n in range(len(run) - 1)}


def _problems_of_pair(pair: Pair) -> Iterator[str]:
    for kind in ("demand", "supply", "distractor"):
        for part, text in (("title", getattr(pair, f"{kind}_title")), ("text", getattr(pair, kind))):
            low, high = LENGTHS[part]
            if not low <= len(text) <= high:
                yield f"{kind} {part} has {len(text)} characters"
    asked = bigrams(f"{pair.demand_title} {pair.demand}")
    answered = asked & bigrams(f"{pair.supply_title} {pair.supply}")
    repeated = asked & bigrams(f"{pair.distractor_title} {pair.distractor}")
    if len(answered) > MOST_ANSWERED * len(asked):
        yield f"the supply repeats {' '.join(sorted(answered))} ({len(answered)} of {len(asked)})"
    if len(repeated) < LEAST_REPEATED * len(asked):
        yield f"the distractor repeats only {len(repeated)} of {len(asked)} bigrams"


def _near_copies(texts: Sequence[str]) -> Iterator[str]:
    found = [bigrams(text) for text in texts]
    for one in range(len(texts)):
        for other in range(one):
            if len(found[one] & found[other]) > NEAR_COPY * min(len(found[one]), len(found[other])):
                yield f"too alike: {texts[other][:24]} / {texts[one][:24]}"


def _repeated(values: Iterator[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
