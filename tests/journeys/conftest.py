"""A real platform for a real browser: web and worker as processes, mail through a real SMTP server, seeds loaded."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from backend.accounts.tables import Role
from backend.assembly import build_platform
from backend.desk import runs
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings
from seeds.demonstration import load_market
from seeds.pipeline import load_pipeline

PROJECT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
INSTALL = "Chromium is missing; install it with: apt-get install -y chromium fonts-noto-cjk"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
READY_SECONDS = 90
PATIENCE_SECONDS = 30


@dataclass
class Mailbox:
    """An SMTP server's handler that keeps every mail."""

    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - its protocol's name
        mail = message_from_bytes(envelope.original_content, policy=SMTP_POLICY)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def wait_for(self, address: str, words: str = "") -> EmailMessage:
        """Return the latest mail to an address whose subject has these words, once it has come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for mail in reversed(self.mails):
                if address in str(mail["To"]) and words in str(mail["Subject"]):
                    return mail
            assert time.monotonic() < deadline, f"no mail to {address} about {words!r} came"
            time.sleep(0.1)


@dataclass(frozen=True)
class Running:
    """A platform that runs: where, with which accounts, which mail came, and the shell beside it."""

    url: str
    passwords: dict[Role, str]
    mailbox: Mailbox
    environment: dict[str, str]

    def shell(self, *arguments: str) -> str:
        """Run a command of the program and return what it printed."""
        command = [sys.executable, "-m", "backend.cli", *arguments]
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def running(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port, mailbox = tmp_path_factory.mktemp("platform"), free_port(), Mailbox()
    relay = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    relay.start()
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": new_database(),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "MAILER": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(relay.port),
        "LOG_LEVEL": "ERROR",
    }
    settings = Settings(_env_file=None, data_dir=folder, database_url=environment["DATABASE_URL"])
    platform = build_platform(settings)
    upgrade_database(platform.database)
    passwords = {account.role: account.password for account in load_market(platform)}
    with platform.reading() as session:
        platform.index.rebuild(session)
    load_pipeline(platform)
    with platform.transaction() as session:
        runs.recommend_to_all(session, platform=platform)
    platform.database.dispose()
    command = [sys.executable, "-m", "backend.cli", "up", "--port", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
        yield Running(f"http://127.0.0.1:{port}", passwords, mailbox, environment)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        relay.stop()


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        assert process.poll() is None, "the platform ended while starting"
        time.sleep(0.1)
    raise AssertionError(f"the platform was not ready within {READY_SECONDS} s")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        raise RuntimeError(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person's browser; notes every complaint of the console and every request to another host."""

    page: Page
    running: Running
    complaints: list[str]
    strangers: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.running.url + path)
        return self.page

    def sign_in(self, role: Role) -> None:
        name = {Role.ADMINISTRATOR: "admin"}.get(role, role.value)
        self.enter(f"{name}@example.com", self.running.passwords[role])

    def enter(self, email: str, password: str) -> None:
        self.go("/login")
        self.enter_here(email, password)

    def enter_here(self, email: str, password: str) -> None:
        """Sign in on the login page that is open."""
        self.page.get_by_label("邮箱").fill(email)
        self.page.get_by_label("密码", exact=False).first.fill(password)
        self.page.get_by_role("main").get_by_role("button", name="登录").click()
        self.page.wait_for_url(lambda url: "/login" not in url)

    def has_sideways_scroll(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture(
    params=[(1280, True), (1280, False), (360, True), (360, False)], ids=["wide", "wide-no-js", "phone", "phone-no-js"]
)
def visitor(request: pytest.FixtureRequest, chromium: Browser, running: Running) -> Iterator[Visitor]:
    """Give a browser at both widths, with and without JavaScript."""
    yield from _open(chromium, running, *request.param)


@pytest.fixture
def another(chromium: Browser, running: Running) -> Iterator[Visitor]:
    """Give one more person's browser."""
    yield from _open(chromium, running, 1280, True)


def _open(chromium: Browser, running: Running, width: int, script: bool) -> Iterator[Visitor]:
    context: BrowserContext = chromium.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script, locale="zh-CN"
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    someone = Visitor(page, running, [], [])
    page.on("console", lambda said: someone.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on(
        "request", lambda sent: someone.strangers.append(sent.url) if not sent.url.startswith(running.url) else None
    )
    yield someone
    # A form that fails answers 422, which Chromium itself reports; anything else is ours to mend.
    assert [text for text in someone.complaints if "422" not in text] == []
    assert someone.strangers == []
    context.close()
