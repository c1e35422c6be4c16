"""A snapshot that is not exactly what was written, by this program, for this encoder, is refused and never served."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from corpora import IDENTITY, make_document, tokenize, unit_vector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.generations import CURRENT, MANIFEST, Refusal, SnapshotRefused
from models.index import Index
from models.snapshot import Identity

PARTS = [MANIFEST, "rows.npz", "vectors.faiss", "words/meta.json", "words/*.idx", "words/*.term", "words/*.store"]


def build(folder: Path, count: int, sequence: int) -> Index:
    corpus = [make_document(f"id-{number}") for number in range(count)]
    return Index.build(folder, corpus, sequence=sequence, identity=IDENTITY, tokenize=tokenize)


def reopen(folder: Path, identity: Identity = IDENTITY) -> Index:
    return Index.open(folder, identity=identity, tokenize=tokenize)


def refusal(folder: Path, identity: Identity = IDENTITY) -> Refusal:
    with pytest.raises(SnapshotRefused) as caught:
        reopen(folder, identity)
    return caught.value.reason


def part(folder: Path, pattern: str, generation: Path | None = None) -> Path:
    if pattern == CURRENT:
        return folder / CURRENT
    return next((generation or current(folder)).glob(pattern))


def current(folder: Path) -> Path:
    return folder / json.loads((folder / CURRENT).read_text())["name"]


def before(folder: Path) -> Path:
    return next(path for path in folder.glob("generation-*") if path != current(folder))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with two generations, whose files have the same names but other contents."""
    folder = tmp_path_factory.mktemp("index")
    build(folder, 7, sequence=1)
    build(folder, 5, sequence=2)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return Path(shutil.copytree(written, tmp_path / "index"))


def test_an_untouched_copy_is_served(folder):
    assert reopen(folder).count() == 5


@pytest.mark.parametrize("pattern", [*PARTS, CURRENT])
@pytest.mark.parametrize("damage", [truncate, cut_in_half, empty, zero, extend, replace_by_folder])
def test_a_damaged_file_is_refused(folder, pattern: str, damage: Callable[[Path], None]):
    damage(part(folder, pattern))

    assert refusal(folder) == Refusal.DAMAGED


@pytest.mark.parametrize("pattern", PARTS)
def test_a_missing_file_is_refused(folder, pattern: str):
    part(folder, pattern).unlink()

    assert refusal(folder) == Refusal.DAMAGED


@pytest.mark.parametrize("pattern", [MANIFEST, "rows.npz", "vectors.faiss", "words/meta.json"])
def test_a_file_of_another_generation_is_refused(folder, pattern: str):
    shutil.copyfile(part(folder, pattern, before(folder)), part(folder, pattern))

    assert refusal(folder) == Refusal.DAMAGED


def test_a_generation_under_the_name_of_another_is_refused(folder):
    other, pointed = before(folder), current(folder)

    shutil.rmtree(pointed)
    other.rename(pointed)

    assert refusal(folder) == Refusal.DAMAGED


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), data=st.data())
def test_a_flipped_bit_anywhere_is_refused(written, place, bit, data):
    files = sorted(path for path in current(written).rglob("*") if path.is_file() and path.suffix != ".lock")
    path = data.draw(st.sampled_from([path for path in files if path.stat().st_size]))
    original = path.read_bytes()
    flipped = bytearray(original)
    flipped[int(place * len(flipped))] ^= 1 << bit

    path.write_bytes(flipped)

    try:
        assert refusal(written) == Refusal.DAMAGED
    finally:
        path.write_bytes(original)


@pytest.mark.parametrize(
    "identity",
    [
        replace(IDENTITY, encoder="hash-8@2"),
        replace(IDENTITY, dimension=16),
        replace(IDENTITY, analysis="words@2"),
    ],
)
def test_a_snapshot_of_another_encoder_dimension_or_analysis_is_refused(folder, identity):
    assert refusal(folder, identity) == Refusal.FOREIGN


def test_a_folder_without_a_snapshot_is_refused(tmp_path):
    assert refusal(tmp_path) == Refusal.MISSING
    assert refusal(tmp_path / "nowhere") == Refusal.MISSING


@pytest.mark.parametrize("name", ["../elsewhere", "", "generation-1", "/etc", None, 7])
def test_a_pointer_to_anything_but_a_generation_is_refused(folder, name):
    pointer = json.loads((folder / CURRENT).read_text())

    (folder / CURRENT).write_text(json.dumps(pointer | {"name": name}))

    assert refusal(folder) == Refusal.DAMAGED


@pytest.mark.parametrize(
    ("written_format", "reason"),
    [(2, Refusal.FUTURE), (0, Refusal.DAMAGED), ("1", Refusal.DAMAGED), (None, Refusal.DAMAGED)],
)
def test_a_format_of_the_future_is_refused_by_name_and_a_senseless_one_as_damage(folder, written_format, reason):
    pointer = json.loads((folder / CURRENT).read_text())

    (folder / CURRENT).write_text(json.dumps(pointer | {"format": written_format}))

    assert refusal(folder) == reason


def test_a_refused_snapshot_is_replaced_by_building_anew(folder):
    zero(part(folder, "vectors.faiss"))

    index = build(folder, 3, sequence=3)

    assert index.count() == reopen(folder).count() == 3


def test_a_refused_reload_leaves_the_served_snapshot_in_service(folder):
    index = reopen(folder)
    build(folder, 9, sequence=3)
    truncate(part(folder, "rows.npz"))

    with pytest.raises(SnapshotRefused):
        index.reload()

    assert index.count() == 5
    assert len(index.retrieve(unit_vector(1), {"电池": 1.0})) == 5
