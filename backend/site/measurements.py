"""The measured quality of matching, as the project's own command wrote it into a committed table."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backend.settings import PROJECT

TABLE = PROJECT / "docs" / "measurements.tsv"


@dataclass(frozen=True)
class Measurements:
    """One table: how it was made (its comment lines), its columns and its rows, all as text."""

    notes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@cache
def load_measurements(path: Path = TABLE) -> Measurements | None:
    """Return the table of measurements, or None as long as nothing was measured.

    Tab-separated; lines that begin with # say when, on what and by which command it was made.
    """
    if not path.is_file():
        return None
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    notes = tuple(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    cells = [tuple(cell.strip() for cell in line.split("\t")) for line in lines if not line.startswith("#")]
    return Measurements(notes, cells[0], tuple(cells[1:])) if cells else None
