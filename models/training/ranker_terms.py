"""Count in how many passages each word and each sign (a Han character or two neighbours) occurs; write the term table.

A passage is the title with the abstract of a paper, or one of at most `MOST_PARAGRAPHS` of its paragraphs. Papers
hardly use the words of commerce (公司, 希望, 预算), which would then look rare and telling; a term's share is therefore
the larger of its share of passages and of its median share over the fields of our own market, which is high only for
words that every field uses. The commonplaces of listings (models/data/commonplaces.txt) and their parts have at least
`COMMONPLACE_SHARE`.

    python -m models.training.ranker_terms --corpus chinaxiv.jsonl.xz --market seeds/market
"""

import argparse
import gzip
import json
import lzma
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from models.term_table import is_han, signs, telling_words
from models.text import normalise

OUTPUT = Path(__file__).parents[1] / "weights" / "ranker" / "terms.tsv.gz"
MOST_PARAGRAPHS = 8  # of a paper: more of them repeat its own words rather than show which words are common
SHORTEST_PARAGRAPH = 80  # characters; shorter ones are headings and captions
FEWEST_PASSAGES = {
    "w": 5,
    "s": 8,
}  # a term of fewer passages is not listed; of chance pairs of characters there are more
LONGEST_WORD = 12
COMMONPLACES = Path(__file__).parents[1] / "data" / "commonplaces.txt"
COMMONPLACE_SHARE = 0.08


def passages(corpus: Path) -> Iterator[str]:
    """Yield the passages of every paper in a file of JSON lines, compressed by xz."""
    with lzma.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            paper = json.loads(line)
            yield f"{paper['title']}\n{paper['abstract']}"
            long = [text for text in paper["paragraphs"] if len(text) >= SHORTEST_PARAGRAPH]
            yield from long[:: -(-len(long) // MOST_PARAGRAPHS) or 1]


def listings_by_field(market: Path) -> list[list[str]]:
    """Return the full texts of the listings of our own market, one list for each of its files."""
    groups = []
    for path in sorted(market.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows = content["supplies"] + content["demands"]
        groups.append([f"{row['title']}\n{row['summary']}\n{row['description']}" for row in rows])
    return groups


@dataclass(slots=True)
class Count:
    """In how many texts each word (w) and each Han sign (s) was, of how many, and how many distinct signs they had."""

    texts: int = 0
    signs: int = 0
    having: dict[str, Counter[str]] = field(default_factory=lambda: {"w": Counter(), "s": Counter()})


def count(texts: Iterable[str]) -> Count:
    """Count texts."""
    counted = Count()
    for text in texts:
        normal = normalise(text).lower()
        distinct = set(signs(normal))
        counted.having["w"].update(set(telling_words(normal)))
        counted.having["s"].update(filter(is_han, distinct))
        counted.texts += 1
        counted.signs += len(distinct)
    return counted


def term_shares(all_passages: Count, groups: Sequence[Count]) -> dict[tuple[str, str], float]:
    """Return the share of texts of each (kind, term): of passages, or the median over groups where that is larger."""
    commonplaces = commonplace_terms()
    found: dict[tuple[str, str], float] = {}
    for kind, counter in all_passages.having.items():
        for term in set(counter).union(commonplaces[kind], *(group.having[kind] for group in groups)):
            everywhere = statistics.median(group.having[kind][term] / group.texts for group in groups) if groups else 0
            least = COMMONPLACE_SHARE if term in commonplaces[kind] else 0
            if counter[term] >= FEWEST_PASSAGES[kind] or everywhere or least:
                found[kind, term] = max(counter[term] / all_passages.texts, everywhere, least)
    return found


def commonplace_terms() -> dict[str, set[str]]:
    """Return the words (w) and the signs (s) of the commonplaces, but for single characters, which mean much else."""
    lines = COMMONPLACES.read_text(encoding="utf-8").splitlines()
    phrases = [line for line in lines if line and not line.startswith("#")]
    return {
        "w": {word for phrase in phrases for word in (phrase, *telling_words(phrase))},
        "s": {sign for phrase in phrases for sign in signs(phrase) if len(sign) > 1},
    }


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--market", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    counted = count(passages(arguments.corpus))
    found = term_shares(counted, [count(texts) for texts in listings_by_field(arguments.market)])
    least, length = min(FEWEST_PASSAGES.values()) / counted.texts, counted.signs / counted.texts
    rows = [
        f"{kind}\t{term}\t{share:.2e}\n" for (kind, term), share in sorted(found.items()) if len(term) <= LONGEST_WORD
    ]
    with arguments.output.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.write("".join([f"{least:.2e}\t{length:.1f}\n", *rows]).encode())
    print(f"{len(rows)} terms, {arguments.output.stat().st_size} bytes")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
