"""Workers that are there to be killed: real ones, each in a process of its own, forked from one that has it all loaded.

The nursery is forked before this process has any thread; it forks a worker when told to, and says which process it is.
Time runs faster in these workers, so that the leases of minutes that dead workers leave behind are over in seconds.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection

from backend.assembly import build_platform
from backend.bench.market import MONDAY
from backend.cli_platform import set_up_logging
from backend.database import build_engine
from backend.domains import JOB_MODULES
from backend.jobs.worker import running_worker
from backend.mail import recovery
from backend.mail.codes import Reply
from backend.mail.mailer import Mailer
from backend.process import die_with_parent
from backend.settings import Settings

KNOWN_JOBS = JOB_MODULES
LOOK_EVERY_SECONDS = 0.3
GONE_SECONDS = 10.0


@dataclass(frozen=True)
class FastClock:
    """A clock that starts on a Monday morning and runs `speed` times as fast; the same in every process."""

    started: float
    speed: float

    def __call__(self) -> datetime:
        """Return the time now."""
        return MONDAY + timedelta(seconds=(time.monotonic() - self.started) * self.speed)


@dataclass(frozen=True)
class LateMailer:
    """The fault of the negative control: the state is written after the mail was sent instead of before."""

    inner: Mailer

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:
        """Send first, and only then say so."""
        reply = self.inner.send(rendered, sender, recipient, lambda: None)
        hand_over()
        return reply


@dataclass(frozen=True)
class Brief:
    """What a victim is to do."""

    settings: Settings
    clock: FastClock
    writes_late: bool = False


class Nursery:
    """Starts victims and ends them."""

    def __init__(self) -> None:
        fork = multiprocessing.get_context("fork")
        self._pipe, theirs = fork.Pipe()
        self._process = fork.Process(target=_nurse, args=(theirs,))
        self._process.start()
        self.victim = 0

    def start(self, brief: Brief) -> None:
        """Start a worker."""
        self._pipe.send(brief)
        self.victim = int(self._pipe.recv())

    def kill(self) -> None:
        """Kill the worker where it stands, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.victim, signal.SIGKILL)
        deadline = time.monotonic() + GONE_SECONDS
        while time.monotonic() < deadline:
            try:
                os.kill(self.victim, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)

    def strike(self) -> None:
        """Kill the worker and wait for nothing: the server calls this within the dialogue."""
        with suppress(ProcessLookupError):
            os.kill(self.victim, signal.SIGKILL)

    def is_alive(self) -> bool:
        """Tell whether the worker still runs."""
        try:
            os.kill(self.victim, 0)
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        """End the worker and the nursery."""
        if self.victim:
            self.kill()
        self._pipe.send(None)
        self._process.join(timeout=GONE_SECONDS)


def _nurse(pipe: Connection) -> None:
    """Fork one worker for each brief; the kernel buries them."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while (brief := pipe.recv()) is not None:
        child = os.fork()
        if child == 0:
            pipe.close()
            _work(brief)
            os._exit(0)
        pipe.send(child)


def _work(brief: Brief) -> None:
    """Be a worker until killed: the queue, the timetable, and a look at the outbox every moment."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    set_up_logging(brief.settings)
    engine = build_engine(brief.settings.database_url)
    platform = build_platform(brief.settings, database=engine, clock=brief.clock)
    if brief.writes_late:
        platform = replace(platform, mailer=LateMailer(platform.mailer))
    with running_worker(platform):
        while not threading.Event().wait(LOOK_EVERY_SECONDS):
            recovery.resume(platform)
