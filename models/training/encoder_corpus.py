"""Read the papers from which the encoder learns, in normal form."""

import json
import lzma
from dataclasses import dataclass
from pathlib import Path

from models.text import normalise

CORPUS = "train/chinaxiv.jsonl.xz"
"""Where the papers lie in the data folder: one JSON object a line."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One preprint, every text in normal form and lower case; what a paper lacks is empty."""

    title: str
    abstract: str
    keywords: str
    paragraphs: list[str]

    def texts(self) -> list[str]:
        """Return the running text: what words are counted in."""
        return [self.title, self.abstract, *self.paragraphs]


def read_papers(data: Path) -> list[Paper]:
    """Return the papers of a data folder in their order.

    Raises: FileNotFoundError if the folder has no corpus.
    """
    with lzma.open(data / CORPUS, "rt", encoding="utf-8") as lines:
        return [_paper(json.loads(line)) for line in lines]


def _paper(row: dict[str, str | list[str] | None]) -> Paper:
    def normal(text: object) -> str:
        return normalise(str(text)).lower() if text else ""

    return Paper(
        title=normal(row["title"]),
        abstract=normal(row["abstract"]),
        keywords=normal(row.get("keywords")),
        paragraphs=[normal(text) for text in row["paragraphs"] or []],
    )
