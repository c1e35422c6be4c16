"""Rules of the house that a program can check."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.migrations.upgrade import differences, is_current

PROJECT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("backend", "models", "seeds") for path in (PROJECT / folder).rglob("*.py"))
TEMPLATES = sorted((PROJECT / "frontend" / "templates").rglob("*.*"))
LONGEST_FILE = 350
FORBIDDEN_WORDS = ("登陆", "其它", "帐号", "帐户", "系统繁忙", "操作失败", "技术经纪人")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|for now|simplified version|NotImplementedError")


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_only_the_database_module_commits():
    committing = [named(path) for path in SOURCES if ".commit(" in path.read_text() and "backend" in path.parts]

    assert set(committing) <= {"backend/database.py", "backend/platform.py"}


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_has_a_length_one_can_read(path):
    if "migrations/versions" in named(path):
        return

    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_nothing_is_left_unfinished():
    found = [named(path) for path in [*SOURCES, *TEMPLATES] if UNFINISHED.search(path.read_text())]

    assert found == []


def test_people_read_one_word_per_concept():
    found = [
        (named(path), word)
        for path in [*SOURCES, *TEMPLATES]
        for word in FORBIDDEN_WORDS
        if word in path.read_text() and path.suffix != ".tsv"
    ]

    assert found == []


def test_templates_hold_no_inline_script_or_style():
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|href=.javascript:")
    pages = [path for path in TEMPLATES if path.suffix == ".html"]

    assert [named(path) for path in pages if inline.search(path.read_text())] == []


@pytest.mark.parametrize("vendor", ["frontend/static/vendor", "tests/journeys/vendor"])
def test_vendored_files_are_the_ones_in_the_manifest(vendor):
    folder = PROJECT / vendor
    manifest = json.loads((folder / "manifest.json").read_text())
    entries = manifest["files"] if isinstance(manifest, dict) else manifest

    for entry in entries:
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]


def test_the_web_process_imports_neither_torch_nor_sentence_transformers(tmp_path):
    program = (
        "import sys; from backend.settings import Settings; from backend.main import create_app;"
        f"create_app(Settings(_env_file=None, data_dir={str(tmp_path)!r}));"
        "print(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_schema_of_migrations_is_the_schema_of_the_tables(engine):
    assert is_current(engine)
    assert differences(engine) == []
