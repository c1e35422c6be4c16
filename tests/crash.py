"""Kill web and worker at random moments while listings are posted, published and embedded; then nothing may be lost.

`python -m tests.crash --kills 200 --seed 1 [--database-url URL]` prints what happened and exits 1 on any loss.
A posting counts as acknowledged only when its 201 was read.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlmodel import col, func, select

from backend.accounts import tokens
from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.assembly import build_platform
from backend.check.invariants import find_breaches
from backend.domains import JOB_MODULES
from backend.errors import AppError
from backend.listings import service
from backend.listings.tables import Listing, ListingEvent, ListingVersion
from backend.migrations.upgrade import upgrade_database
from backend.platform import Platform
from backend.settings import Settings

PROJECT = Path(__file__).parent.parent
READY_SECONDS = 60
SETTLE_SECONDS = 90
LONGEST_LIFE_SECONDS = 2.5
KNOWN_JOBS = JOB_MODULES


@dataclass
class Tally:
    """What was tried and what came of it."""

    seed: int
    kills: int = 0
    posted: int = 0
    acknowledged: list[str] = field(default_factory=list)
    published: int = 0
    lost: int = 0
    twice: int = 0
    half_written: int = 0
    breaches: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.half_written or self.breaches)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Victim:
    """Web and worker as people run them, in a process group of their own."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self._environment, self._port = environment, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "backend.cli", "up", "--port", str(self._port)]
        self._process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self._environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=2):
                return
            if self._process.poll() is not None:
                raise RuntimeError("the platform did not start; see what `jiqiao up` prints")
            time.sleep(0.05)
        raise RuntimeError(f"the platform was not ready within {READY_SECONDS} s")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        self._process.wait()
        # The children sit in the same group; wait until the kernel has taken the worker's lock from them.
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)


def prepare(platform: Platform) -> tuple[str, UUID]:
    """Make an author with a token and a moderator; return the token and the moderator's id."""
    upgrade_database(platform.database)
    now = datetime.now(UTC)
    with platform.transaction() as session:
        organisation = Organisation(
            name="崩溃试验单位", kind=OrganisationKind.COMPANY, region_code="130200", created_at=now
        )
        session.add(organisation)
        session.flush()
        author = _account("author", Role.MEMBER, organisation.id, now)
        moderator = _account("moderator", Role.MODERATOR, None, now)
        session.add_all([author, moderator])
        session.flush()
        token = tokens.create_token(session, author, name="崩溃试验", now=now, source="")
        return token, moderator.id


def _account(name: str, role: Role, organisation_id: UUID | None, now: datetime) -> Account:
    address = f"{name}@example.com"
    return Account(
        email=address,
        email_key=address,
        password_hash="!",
        display_name=name,
        role=role,
        organisation_id=organisation_id,
        created_at=now,
        confirmed_at=now,
    )


def post(port: int, token: str, number: int) -> str | None:
    """Post one listing; return its id when the platform said that it has it."""
    body = {
        "kind": "supply" if number % 2 else "demand",
        "title": f"崩溃试验第 {number} 条",
        "summary": "这条信息在进程随时被杀死时发布，应当完整保存。",
        "description": f"第 {number} 条的详细说明，足够长，可以提交审核，也可以计算向量。",
        "region_code": "130200",
        "modes": ["licence"],
        "fields": ["computing"],
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/listings",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["id"])
    return None


def publish_some(platform: Platform, moderator_id: UUID, pending: list[str], chance: random.Random) -> int:
    """Publish about half of what waits, so that the worker has something to embed when it dies."""
    done = 0
    for listing_id in [entry for entry in pending if chance.random() < 0.5]:
        with suppress(AppError), platform.transaction() as session:
            moderator = session.get_one(Account, moderator_id)
            now = datetime.now(UTC)
            service.publish_listing(session, UUID(listing_id), by=moderator, now=now, days=180)
            done += 1
        pending.remove(listing_id)
    return done


def run(kills: int, seed: int, database_url: str) -> Tally:
    """Post, publish and kill until there were enough kills; then let the worker finish and look at everything."""
    chance, tally = random.Random(seed), Tally(seed)
    with tempfile.TemporaryDirectory(prefix="jiqiao-crash-") as folder:
        environment = {**os.environ, "DATA_DIR": folder, "LOG_LEVEL": "ERROR", "MAILER": "folder"}
        if database_url:
            environment["DATABASE_URL"] = database_url
        values = {"data_dir": Path(folder), "database_url": database_url}
        platform = build_platform(Settings(_env_file=None, **values))
        token, moderator_id = prepare(platform)
        port = free_port()
        victim, pending = Victim(environment, port), list[str]()
        while tally.kills < kills:
            victim.start()
            alive_until = time.monotonic() + chance.uniform(0.05, LONGEST_LIFE_SECONDS)
            blow = _kill_later(victim, alive_until)
            while time.monotonic() < alive_until:
                tally.posted += 1
                acknowledged = post(port, token, tally.posted)
                if acknowledged:
                    tally.acknowledged.append(acknowledged)
                    pending.append(acknowledged)
                if time.monotonic() < alive_until:
                    tally.published += publish_some(platform, moderator_id, pending, chance)
            blow.join()
            tally.kills += 1
        victim.start()
        _settle(platform, tally)
        victim.kill(signal.SIGTERM)
        _compare(platform, tally)
        platform.database.dispose()
    return tally


def _kill_later(victim: Victim, moment: float) -> threading.Timer:
    """Kill the victim at a moment, whatever it is doing then."""
    blow = threading.Timer(max(0.0, moment - time.monotonic()), victim.kill)
    blow.start()
    return blow


def _settle(platform: Platform, tally: Tally) -> None:
    """Wait until the last worker has done what the dead ones left, or keep what is still broken."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        with platform.reading() as session:
            tally.breaches = find_breaches(session, platform)
        if not tally.breaches or time.monotonic() > deadline:
            return
        time.sleep(0.5)


def _compare(platform: Platform, tally: Tally) -> None:
    with platform.reading() as session:
        kept = {str(listing_id) for listing_id in session.exec(select(Listing.id))}
        tally.lost = len(set(tally.acknowledged) - kept)
        titles = select(func.count()).select_from(Listing).group_by(col(Listing.title)).having(func.count() > 1)
        tally.twice = len(session.exec(titles).all())
        whole = select(ListingVersion.listing_id).join(
            ListingEvent, col(ListingEvent.listing_id) == col(ListingVersion.listing_id)
        )
        tally.half_written = len(kept - {str(listing_id) for listing_id in session.exec(whole)})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", default="")
    arguments = parser.parse_args()
    tally = run(arguments.kills, arguments.seed, arguments.database_url)
    print(
        f"seed {tally.seed}: {tally.kills} kills, {tally.posted} postings, {len(tally.acknowledged)} acknowledged, "
        f"{tally.published} published; lost {tally.lost}, twice {tally.twice}, half-written {tally.half_written}, "
        f"broken invariants {len(tally.breaches)}"
    )
    for breach in tally.breaches[:20]:
        print(" ", breach)
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
