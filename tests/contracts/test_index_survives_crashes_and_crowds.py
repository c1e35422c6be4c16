"""Builders that die, processes that share a folder, and threads that read while others write."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import IDENTITY, make_document, tokenize, unit_vector

from models.documents import ANY, IndexDocument, IndexFilter, Remove, Upsert
from models.generations import CURRENT
from models.index import MOST_CHANGES, Index

ROOT = Path(__file__).parents[2]


def corpus(count: int, prefix: str = "id") -> list[IndexDocument]:
    return [make_document(f"{prefix}-{number}") for number in range(count)]


def build(folder: Path, count: int, sequence: int = 0) -> Index:
    return Index.build(folder, corpus(count), sequence=sequence, identity=IDENTITY, tokenize=tokenize)


def reopen(folder: Path) -> Index:
    return Index.open(folder, identity=IDENTITY, tokenize=tokenize)


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_a_rebuild_that_fails_leaves_the_snapshot_and_no_rubbish(tmp_path):
    index = build(tmp_path, 4)
    before = (tmp_path / CURRENT).read_bytes()

    def failing() -> Iterator[IndexDocument]:
        yield from corpus(3)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        index.rebuild(failing(), sequence=9)

    assert (tmp_path / CURRENT).read_bytes() == before
    assert generations(tmp_path) == [index.snapshot_name]
    assert index.count() == reopen(tmp_path).count() == 4


def test_a_failure_while_files_are_written_leaves_the_snapshot_and_no_rubbish(tmp_path):
    index = build(tmp_path, 4)

    def failing(text: str) -> list[str]:
        raise OSError(5, f"Input/output error at {text}")

    with pytest.raises(OSError, match="Input/output"):
        Index.build(tmp_path, corpus(3), sequence=9, identity=IDENTITY, tokenize=failing)

    assert generations(tmp_path) == [index.snapshot_name]
    assert reopen(tmp_path).count() == 4


def test_documents_that_come_twice_are_refused(tmp_path):
    index = build(tmp_path, 4)

    with pytest.raises(ValueError, match="id-0"):
        index.rebuild([*corpus(2), *corpus(1)], sequence=9)

    assert index.count() == 4


BUILDER = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from test_index_survives_crashes_and_crowds import build
number = {first}
while True:
    build(Path({folder!r}), 40 + number % 7, sequence=number)
    print(number, flush=True)
    number += 1
"""


def test_a_builder_killed_at_any_moment_leaves_a_snapshot_that_opens(tmp_path):
    folder, finished = tmp_path / "index", 0
    for attempt in range(8):
        paths = {"root": str(ROOT), "tests": str(Path(__file__).parent), "folder": str(folder)}
        code = BUILDER.format(first=finished + 1, **paths)
        builder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(1 + attempt % 3):
            finished = int(builder.stdout.readline())
        builder.stdout.read(attempt % 2)  # now and then a little later
        builder.send_signal(signal.SIGKILL)
        builder.communicate()

        index = reopen(folder)

        assert index.sequence >= finished
        assert index.count() == 40 + index.sequence % 7
        finished = index.sequence
    build(folder, 3, sequence=finished + 1)
    assert not [name for name in generations(folder) if name.startswith("building-")]
    assert len(generations(folder)) == 2


def test_another_process_sees_a_new_snapshot_after_reload_and_keeps_later_changes(tmp_path):
    web, worker = build(tmp_path, 4), reopen(tmp_path)
    changes = [
        Upsert(1, make_document("early")),
        Remove(2, "id-0"),
        Upsert(3, make_document("late")),
        Remove(4, "id-1"),
    ]
    web.apply(changes)

    worker.rebuild([*corpus(4)[1:], make_document("early")], sequence=2)
    switched = web.reload()

    assert switched
    assert web.snapshot_name == worker.snapshot_name
    assert set(worker.content_hashes()) == {"id-1", "id-2", "id-3", "early"}
    assert set(web.content_hashes()) == {"id-2", "id-3", "early", "late"}
    assert (worker.sequence, web.sequence) == (2, 4)
    assert not web.reload()


def test_a_reader_of_an_old_snapshot_is_served_after_the_files_are_gone(tmp_path):
    old = build(tmp_path, 4)
    for sequence in range(1, 4):
        build(tmp_path, 4 + sequence, sequence=sequence)

    found = old.retrieve(unit_vector(1), {"电池": 1.0})
    old.apply([Remove(9, "id-0")])

    assert old.snapshot_name not in generations(tmp_path)
    assert len(found) == 4
    assert old.count() == 3
    assert len(generations(tmp_path)) == 2


def test_readers_never_see_half_of_a_group_of_changes(tmp_path):
    index = build(tmp_path, 30)
    index.apply([Upsert(1, make_document("left"))])
    stop, wrong = threading.Event(), []
    pair = IndexFilter(only=frozenset({"left", "right"}))

    def read() -> None:
        while not stop.is_set():
            found = index.retrieve(unit_vector(5), {"电池": 1.0}, pair)
            if index.count(pair) != 1 or len(found) != 1 or found[0].lexical_score is None:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for step in range(2, 200, 2):
        came, went = ("right", "left") if step % 4 else ("left", "right")
        index.apply([Remove(step, went), Upsert(step + 1, make_document(came))])
        if step % 50 == 0:
            index.rebuild([*corpus(30), make_document(came)], sequence=step + 1)
    stop.set()
    for reader in readers:
        reader.join()

    assert wrong == []


def test_many_writers_lose_no_change(tmp_path):
    index = build(tmp_path, 5)

    def write(writer: int) -> None:
        for number in range(20):
            index.apply([Upsert(writer * 100 + number, make_document(f"{writer}-{number}"))])

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert index.count() == 85
    assert len(index.retrieve(unit_vector(1), {"电池": 1.0}, ANY, 200)) == 85


def test_a_rebuild_is_due_after_many_changes_and_no_longer_after_it(tmp_path):
    index = build(tmp_path, 3)
    many = corpus(MOST_CHANGES + 1, prefix="new")

    index.apply(Upsert(number, document) for number, document in enumerate(many, start=1))
    was_due = index.needs_rebuild
    index.rebuild([*corpus(3), *many], sequence=len(many))

    assert was_due
    assert not index.needs_rebuild
    assert index.count() == MOST_CHANGES + 4
