import json
import stat
from pathlib import Path

import numpy as np
import pytest

from models.attributes import AttributeTable, Codebook
from models.documents import IndexDocument
from models.generations import CURRENT, MANIFEST, SnapshotRefused, current_name, publish, verified
from models.layout import plan_layout
from models.snapshot import ids_digest


def publish_text(folder: Path, text: str, number: int = 0) -> str:
    def fill(workspace: Path) -> dict[str, str]:
        (workspace / "deeper").mkdir()
        (workspace / "deeper" / "text").write_text(text)
        return {"says": text}

    return publish(folder, number, fill)


def make_document(number: int, **changes: object) -> IndexDocument:
    vector = np.zeros(4, np.float32)
    vector[number % 4] = 1
    usual = {"kind": "supply", "region": "110108", "fields": frozenset({"brain"})} | changes
    return IndexDocument(
        id=str(number), title="", keywords="", body="", vector=vector, content_hash=str(number), **usual
    )


def test_a_published_generation_is_current_and_verifies(tmp_path):
    name = publish_text(tmp_path / "made" / "when needed", "first", number=42)

    folder, facts = verified(tmp_path / "made" / "when needed", name)

    assert current_name(tmp_path / "made" / "when needed") == name
    assert name.startswith("generation-00000000000000000042-")
    assert (folder / "deeper" / "text").read_text() == "first"
    assert facts["says"] == "first"
    assert facts["files"]["deeper/text"]["bytes"] == 5


def test_the_generation_before_the_current_one_is_kept_and_older_ones_are_not(tmp_path):
    names = [publish_text(tmp_path, str(number), number) for number in range(4)]

    kept = {path.name for path in tmp_path.iterdir() if path.is_dir()}

    assert kept == set(names[-2:])


def test_what_a_killed_builder_left_is_swept_away_by_the_next(tmp_path):
    left = tmp_path / "building-generation-00000000000000000001-00000000"
    left.mkdir(parents=True)
    (left / "half a file").write_text("x")

    publish_text(tmp_path, "whole")

    assert not left.exists()


def test_files_that_are_not_ours_are_left_alone(tmp_path):
    (tmp_path / "generation-notes").mkdir()
    (tmp_path / "README").write_text("kept")

    for number in range(3):
        publish_text(tmp_path, "text", number)

    assert (tmp_path / "generation-notes").is_dir()
    assert (tmp_path / "README").read_text() == "kept"


def test_a_generation_that_was_never_switched_to_is_not_served(tmp_path):
    name = publish_text(tmp_path, "served")
    pointer = (tmp_path / CURRENT).read_bytes()
    later = publish_text(tmp_path, "not switched to", number=1)

    (tmp_path / CURRENT).write_bytes(pointer)

    assert current_name(tmp_path) == name
    with pytest.raises(SnapshotRefused, match="is not the one"):
        verified(tmp_path, later)


def test_the_manifest_lists_every_file_but_locks_and_itself(tmp_path):
    def fill(workspace: Path) -> dict[str, str]:
        (workspace / ".tantivy-meta.lock").touch()
        (workspace / ".managed.json").write_text("[]")
        return {}

    name = publish(tmp_path, 1, fill)

    assert list(json.loads((tmp_path / name / MANIFEST).read_text())["files"]) == [".managed.json"]
    assert stat.S_ISREG((tmp_path / name / ".tantivy-meta.lock").stat().st_mode)


def test_the_digest_of_ids_tells_sets_apart_whatever_their_order():
    digest = ids_digest({"a": "1", "b": "2"})

    assert digest == ids_digest({"b": "2", "a": "1"})
    assert len({digest, ids_digest({"a": "2", "b": "1"}), ids_digest({"a": "1"}), ids_digest({})}) == 4


def test_rows_of_one_cell_stand_together():
    cells = [
        {"kind": "supply"},
        {"kind": "demand"},
        {"kind": "supply", "region": "130100"},
        {"kind": "supply", "fields": frozenset({"brain", "tcm"})},
        {"kind": "supply", "region": "110105"},  # another district of the first cell's province
    ]
    documents = [make_document(number, **cells[number % 5]) for number in range(20)]
    book = Codebook().extended(documents)
    vectors = np.stack([document.vector for document in documents])

    order, layout = plan_layout(AttributeTable.of(documents, book), book, vectors)

    assert sorted(order.tolist()) == list(range(20))
    assert sorted(np.diff(layout.starts).tolist()) == [4, 4, 4, 8]
    lists = [order[start:end] % 5 for start, end in zip(layout.starts[:-1], layout.starts[1:], strict=True)]
    assert sorted(sorted(set(rows.tolist())) for rows in lists) == [[0, 4], [1], [2], [3]]


def test_no_documents_make_no_lists():
    table = AttributeTable.of([], Codebook())

    order, layout = plan_layout(table, Codebook(), np.empty((0, 4), np.float32))

    assert len(order) == 0
    assert layout.starts.tolist() == [0]
