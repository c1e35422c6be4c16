"""Immutable folders that follow one another: written aside, flushed, switched to by one rename, verified before use.

folder/CURRENT                  format, name of the generation in use, checksum of its manifest
folder/generation-…/MANIFEST    facts about the contents, size and checksum of every other file
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

FORMAT = 1
CURRENT = "CURRENT"
MANIFEST = "MANIFEST"
LOCK = ".lock"
BUILDING = "building-"
_NAME = re.compile(r"generation-\d{20}-[0-9a-f]{8}")


class Refusal(StrEnum):
    """Why a snapshot is not served."""

    MISSING = "missing"
    DAMAGED = "damaged"
    FOREIGN = "foreign"
    FUTURE = "future"


class SnapshotRefused(Exception):
    """The folder holds no snapshot that may be served; build one from the database."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def publish(folder: Path, number: int, fill: Callable[[Path], dict[str, Any]]) -> str:
    """Let `fill` write the files of a new generation and tell its facts, then make it the current one.

    The generation before it is kept for readers that are just opening it; older ones are removed. A builder in another
    process is waited for. Whatever fails, the generation that was current stays so. Returns the new one's name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _only_builder(folder):
        _remove_unfinished(folder)
        name = f"generation-{number:020d}-{secrets.token_hex(4)}"
        workspace = folder / (BUILDING + name)
        workspace.mkdir()
        try:
            facts = fill(workspace)
            checksum = _write_manifest(workspace, facts)
            _flush_tree(workspace)
            workspace.rename(folder / name)
        except BaseException:
            shutil.rmtree(workspace, ignore_errors=True)
            raise
        _switch(folder, name, checksum)
    return name


def current_name(folder: Path) -> str:
    """Return the name of the current generation.

    Raises: SnapshotRefused where there is none, or none that this version of the program reads.
    """
    return _read_pointer(folder)[0]


def verified(folder: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the facts of the generation `name`, which must be current, after reading every byte of it.

    Raises: SnapshotRefused when anything is not as it was written.
    """
    pointed, checksum = _read_pointer(folder)
    content = _read(folder / name / MANIFEST)
    if pointed != name or hashlib.sha256(content).hexdigest() != checksum:
        raise SnapshotRefused(Refusal.DAMAGED, f"{name}/{MANIFEST} is not the one that {CURRENT} names")
    facts = _parsed(content, MANIFEST)
    for relative, expected in facts["files"].items():
        if _description(folder / name / relative) != expected:
            raise SnapshotRefused(Refusal.DAMAGED, f"{name}/{relative}")
    return folder / name, facts


@contextmanager
def _only_builder(folder: Path) -> Iterator[None]:
    # flock goes with the process: a killed builder leaves nothing locked.
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_unfinished(folder: Path) -> None:
    for leftover in folder.glob(BUILDING + "*"):
        shutil.rmtree(leftover)


def _write_manifest(workspace: Path, facts: dict[str, Any]) -> str:
    names = sorted(path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if _is_content(path))
    files = {name: _description(workspace / name) for name in names}
    content = json.dumps({"format": FORMAT, **facts, "files": files}, ensure_ascii=False, indent=1).encode()
    (workspace / MANIFEST).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _is_content(path: Path) -> bool:
    # tantivy leaves empty lock files, which it may remove or make again when it opens the folder.
    return path.is_file() and path.suffix != LOCK


def _description(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise SnapshotRefused(Refusal.DAMAGED, f"{path.name}: {error.strerror}") from error


def _switch(folder: Path, name: str, checksum: str) -> None:
    _flush(folder)  # the generation's own name, before anything points at it
    before = _name_before(folder)
    aside = folder / f"{CURRENT}.new"
    aside.write_text(json.dumps({"format": FORMAT, "name": name, "manifest_sha256": checksum}), encoding="utf-8")
    _flush(aside)
    aside.replace(folder / CURRENT)
    _flush(folder)
    for generation in folder.iterdir():
        if _NAME.fullmatch(generation.name) and generation.name not in {name, before}:
            shutil.rmtree(generation, ignore_errors=True)


def _name_before(folder: Path) -> str | None:
    try:
        return current_name(folder)
    except SnapshotRefused:
        return None


def _read_pointer(folder: Path) -> tuple[str, str]:
    if not (folder / CURRENT).exists():
        raise SnapshotRefused(Refusal.MISSING, f"no {CURRENT} in {folder}")
    pointer = _parsed(_read(folder / CURRENT), CURRENT)
    name, checksum = pointer.get("name"), pointer.get("manifest_sha256")
    if not isinstance(name, str) or not isinstance(checksum, str) or not _NAME.fullmatch(name):
        raise SnapshotRefused(Refusal.DAMAGED, f"{CURRENT} names no generation")
    return name, checksum


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SnapshotRefused(Refusal.DAMAGED, f"{path.name}: {error.strerror}") from error


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError as error:
        raise SnapshotRefused(Refusal.DAMAGED, f"{name} is not JSON") from error
    written = parsed.get("format") if isinstance(parsed, dict) else None
    if not isinstance(written, int) or written < 1:
        raise SnapshotRefused(Refusal.DAMAGED, f"{name} states no format")
    if written > FORMAT:
        raise SnapshotRefused(Refusal.FUTURE, f"{name} has format {written}, this program reads {FORMAT}")
    return dict(parsed)


def _flush_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _flush(path)
    _flush(folder)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
