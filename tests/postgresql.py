"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary folder, a socket instead of a port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

INSTALL = "PostgreSQL is missing; install it with: apt-get install -y postgresql (or set TEST_DATABASE_URL)"
SERVER_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server and yield the URL of its `postgres` database; durable=True keeps fsync on."""
    binaries = _find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="jiqiao-pg-"))
    as_root = os.geteuid() == 0
    if as_root:
        shutil.chown(folder, "postgres", "postgres")
    prefix = ["runuser", "-u", "postgres", "--"] if as_root else []
    data = folder / "data"
    options = f"-k {folder} " + (SERVER_OPTIONS.replace("fsync=off", "fsync=on") if durable else SERVER_OPTIONS)
    try:
        initial = ["-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        _run([*prefix, binaries / "initdb", *initial])
        _run([*prefix, binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"])
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder), safe='')}"
        finally:
            _run([*prefix, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError(INSTALL)
    return Path(on_path).resolve().parent


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True, cwd="/", timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{command[-1]} failed: {done.stderr or done.stdout}")
