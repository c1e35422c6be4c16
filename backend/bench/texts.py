"""The listings that measurements run on: those of a folder of files, or the demonstration market."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from backend.listings.importing.columns import map_columns
from backend.listings.importing.sources import UnreadableFile, read_rows
from backend.listings.tables import Kind
from backend.matching.documents import compose_text
from backend.settings import PROJECT
from models.documents import IndexDocument, Vector
from models.encoder import Encoder
from models.features import PairText
from models.index import Index
from models.snapshot import Identity
from models.text import ANALYSIS, normalise, tokens

MARKET = PROJECT / "seeds" / "market"
BATCH = 256
ANYWHERE = "110000"


@dataclass(frozen=True)
class MeasuredListing:
    """One listing with its kind and the priority fields that its author chose."""

    key: str
    kind: Kind
    text: PairText
    fields: tuple[str, ...] = ()


def read_listings(folder: Path | None) -> list[MeasuredListing]:
    """Return the listings of a folder of JSONL files, or without one those of the demonstration market.

    A file whose name says demand or 需求 holds demands, any other supplies.
    """
    return _of_market(MARKET) if folder is None else _of_files(folder)


def _of_files(folder: Path) -> list[MeasuredListing]:
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise UnreadableFile(f"文件夹“{folder}”里没有 .jsonl 文件。", remedy="请检查路径。")
    return [entry for path in paths for entry in _of_file(path)]


def _of_file(path: Path) -> list[MeasuredListing]:
    kind = Kind.DEMAND if "demand" in path.stem.lower() or "需求" in path.stem else Kind.SUPPLY
    rows = read_rows(path)
    columns = map_columns(list(dict.fromkeys(name for row in rows for name in row.values)), {})

    def cell(values: dict[str, str], target: str) -> str:
        return values.get(columns.get(target, ""), "").strip()

    return [
        MeasuredListing(f"{path.stem}:{row.number}", kind, PairText(title, "", body))
        for row in rows
        if (title := cell(row.values, "title"))
        and (body := "\n".join(filter(None, (cell(row.values, "summary"), cell(row.values, "description")))))
    ]


def _of_market(folder: Path) -> list[MeasuredListing]:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parts = [yaml.load(path.read_text("utf-8"), Loader=loader) for path in sorted(folder.glob("*.yaml"))]  # noqa: S506
    return [
        MeasuredListing(entry["key"], kind, _text(entry), tuple(entry["fields"]))
        for part in parts
        for kind, name in ((Kind.SUPPLY, "supplies"), (Kind.DEMAND, "demands"))
        for entry in part[name]
    ]


def _text(entry: dict[str, Any]) -> PairText:
    body = "\n".join(filter(None, (entry["summary"], entry["description"], entry.get("baseline", ""))))
    return PairText(entry["title"], " ".join(entry["keywords"]), body)


def whole(text: PairText) -> str:
    """Return all of a text, as the encoder reads a listing."""
    return compose_text(text.title, "", text.keywords, text.body)


def embed(texts: Sequence[str], encoder: Encoder) -> Vector:
    """Return (n, d) float32 vectors of texts."""
    blocks = [encoder.encode_documents(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
    return np.concatenate(blocks) if blocks else np.zeros((0, encoder.dimension), np.float32)


def build_index(folder: Path, listings: Sequence[MeasuredListing], encoder: Encoder) -> Index:
    """Return an index of listings, as the platform makes it."""
    vectors = embed([whole(entry.text) for entry in listings], encoder)
    documents = [
        IndexDocument(
            id=entry.key,
            kind="supply" if entry.kind is Kind.SUPPLY else "demand",
            title=normalise(entry.text.title),
            keywords=normalise(entry.text.keywords),
            body=normalise(entry.text.body),
            vector=vector,
            region=ANYWHERE,
            content_hash=entry.key,
        )
        for entry, vector in zip(listings, vectors, strict=True)
    ]
    return Index.build(folder, documents, sequence=0, identity=identity(encoder), tokenize=tokens)


def identity(encoder: Encoder) -> Identity:
    """Return what an index made here is made of."""
    return Identity(encoder=encoder.name, dimension=encoder.dimension, analysis=ANALYSIS)
