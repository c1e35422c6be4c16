"""Files of a case: checked by name, size and first bytes, and stored in the data folder, where no address leads.

Bytes are written before their row and deleted after it: a crash between the two leaves bytes that no row names, which
the nightly sweep removes, and never a row without bytes.
"""

import hashlib
import os
import time
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlmodel import Session

from backend.accounts import trail
from backend.desk import cases, repository_cases
from backend.desk.cases import Deed, Happening
from backend.desk.tables_pipeline import CaseFile, StepKind
from backend.errors import Conflict, FieldError, Invalid, NotFound
from backend.settings import Settings
from backend.web.forms import refused_character

LARGEST_BYTES = 10_000_000
MOST_FILES = 30
LONGEST_NAME = 120
ZIPPED, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OFFICE = "application/vnd.openxmlformats-officedocument."
# What may be kept: ending, media type, and how such a file begins. Text has no mark of its own: it must be UTF-8.
TYPES: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".docx": (f"{OFFICE}wordprocessingml.document", (ZIPPED,)),
    ".xlsx": (f"{OFFICE}spreadsheetml.sheet", (ZIPPED,)),
    ".pptx": (f"{OFFICE}presentationml.presentation", (ZIPPED,)),
    ".doc": ("application/msword", (OLE,)),
    ".xls": ("application/vnd.ms-excel", (OLE,)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".txt": ("text/plain", ()),
    ".csv": ("text/csv", ()),
}
ACCEPTED = ",".join(TYPES)
ALLOWED = "PDF、Word、Excel、PowerPoint、PNG、JPG、TXT、CSV"
ORPHAN_SECONDS = 86_400


def add_file(
    session: Session, case_id: UUID, *, name: str, stream: BinaryIO, settings: Settings, deed: Deed
) -> CaseFile:
    """Keep a file with a case. Raises: Invalid, saying what is wrong with it; nothing is stored then."""
    # Read and checked before the case is locked: on SQLite nobody waits for a slow disk.
    shown, content, media_type = _checked(name, stream)
    case = cases.lock_own(session, case_id, deed)
    if repository_cases.count_files(session, case.id) >= MOST_FILES:
        raise Conflict(f"一次接洽最多保存 {MOST_FILES} 个文件。", remedy="请先移除不再需要的文件。")
    kept = CaseFile(
        id=uuid4(),
        case_id=case.id,
        name=shown,
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        by_id=deed.by.id,
        at=deed.now,
    )
    _write(path_of(kept.id, settings), content)
    session.add(kept)
    detail = {"name": shown, "size_bytes": kept.size_bytes}
    cases.step(session, case, Happening(StepKind.FILED, "desk.add_file", text=shown, detail=detail), deed)
    return kept


def remove_file(session: Session, file_id: UUID, *, deed: Deed) -> CaseFile:
    """Take a file away from a case; its bytes are deleted by the next sweep."""
    kept = session.get(CaseFile, file_id)
    if kept is None:
        raise NotFound("没有这个文件。")
    case = cases.lock_own(session, kept.case_id, deed)
    if kept.removed_at is not None:
        return kept
    kept.removed_at = deed.now
    session.add(kept)
    detail = {"name": kept.name}
    cases.step(session, case, Happening(StepKind.UNFILED, "desk.remove_file", text=kept.name, detail=detail), deed)
    return kept


def path_of(file_id: UUID, settings: Settings) -> Path:
    """Return where the bytes of a file lie: the name it was sent under has no part in it."""
    text = file_id.hex
    return settings.data_dir / "files" / text[:2] / text


def sweep(settings: Settings, kept: set[str]) -> int:
    """Delete the bytes that no row names any longer, unless they are so new that their row may be on its way."""
    deleted = 0
    for path in sorted((settings.data_dir / "files").glob("*/*")):
        if path.name not in kept and time.time() - path.stat().st_mtime > ORPHAN_SECONDS:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def _checked(name: str, stream: BinaryIO) -> tuple[str, bytes, str]:
    shown = Path(name.replace("\\", "/")).name.strip()
    if not shown:
        raise _wrong("请先选择一个文件。")
    ending = Path(shown).suffix.lower()
    if not shown.removesuffix(ending) or ending not in TYPES:
        raise _wrong(f"不能保存这种文件，可以是：{ALLOWED}。")
    if len(shown) > LONGEST_NAME or refused_character(shown) or "\n" in shown or "\t" in shown:
        raise _wrong(f"文件名太长或含有不能保存的字符，请改名后再上传，最多 {LONGEST_NAME} 个字。")
    content = stream.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise _wrong(f"文件太大，最多 {LARGEST_BYTES // 1_000_000} MB。请压缩或拆分后再上传。")
    if not content:
        raise _wrong("文件是空的。")
    media_type, beginnings = TYPES[ending]
    if not _is_of_type(content, beginnings):
        raise _wrong(f"文件内容与“{ending}”不符，请检查后再上传。")
    return shown, content, media_type


def _is_of_type(content: bytes, beginnings: tuple[bytes, ...]) -> bool:
    if beginnings:
        return content.startswith(beginnings)
    try:
        return "\x00" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def _wrong(sentence: str) -> Invalid:
    return Invalid([FieldError("file", sentence)])


def _write(path: Path, content: bytes) -> None:
    """Write bytes so that they are there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


trail.name_entries(
    actions={"desk.add_file": "加入文件", "desk.remove_file": "移除文件"}, details={"size_bytes": "字节数"}
)
