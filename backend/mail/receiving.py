"""Where bounces come in: from a mailbox by IMAP, or straight from other servers by a listener of our own.

A notice is marked as read, or answered with 250, only after what it says is committed.
"""

import asyncio
import imaplib
import ssl
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from backend.errors import Conflict
from backend.mail import bounces
from backend.mail.bounces import Verdict
from backend.mail.verp import read_return_address
from backend.platform import Platform

log = structlog.get_logger()
PER_LOOK = 500
LARGEST_NOTICE_BYTES = 2_000_000
IMAP_TIMEOUT_SECONDS = 60.0
NOT_OURS = "550 5.1.1 No such bounce address here"
LATER = "451 4.3.0 Try again later"


def take_in(platform: Platform, raw: bytes, *, sent_to: list[str]) -> Verdict:
    """Take in one notice in a transaction of its own."""
    with platform.transaction() as session:
        return bounces.receive(session, raw, sent_to=sent_to, settings=platform.settings, now=platform.clock())


def read_mailbox(platform: Platform) -> Mapping[Verdict, int]:
    """Take in what is unread in the bounce mailbox, mark it as read, and count what it was.

    Raises: Conflict, when there is no mailbox in the settings or it cannot be read.
    """
    settings = platform.settings
    if not settings.bounce_imap_host:
        raise Conflict(
            "没有设置退信邮箱。", remedy="请设置 BOUNCE_IMAP_HOST、BOUNCE_IMAP_USERNAME 和 BOUNCE_IMAP_PASSWORD。"
        )
    counts: Counter[Verdict] = Counter()
    try:
        with _mailbox(platform) as mailbox:
            for number in _unread(mailbox):
                raw = _fetch(mailbox, number)
                if raw is not None:
                    counts[take_in(platform, raw, sent_to=[])] += 1
                mailbox.store(number, "+FLAGS", "(\\Seen)")
    except (imaplib.IMAP4.error, OSError) as error:
        raise Conflict(f"退信邮箱读不了：{error}") from error
    return counts


@contextmanager
def _mailbox(platform: Platform) -> Iterator[imaplib.IMAP4]:
    settings = platform.settings
    host, port = settings.bounce_imap_host, settings.bounce_imap_port
    mailbox = (
        imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=IMAP_TIMEOUT_SECONDS)
        if settings.bounce_imap_tls
        else imaplib.IMAP4(host, port, timeout=IMAP_TIMEOUT_SECONDS)
    )
    try:
        mailbox.login(settings.bounce_imap_username, settings.bounce_imap_password.get_secret_value())
        mailbox.select("INBOX")
        yield mailbox
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            mailbox.logout()


def _unread(mailbox: imaplib.IMAP4) -> list[str]:
    _, found = mailbox.search(None, "UNSEEN")
    return [number.decode("ascii") for number in (found[0] or b"").split()][:PER_LOOK]


def _fetch(mailbox: imaplib.IMAP4, number: str) -> bytes | None:
    """Return a mail without marking it as read."""
    _, found = mailbox.fetch(number, "(BODY.PEEK[])")
    return next((entry[1] for entry in found if isinstance(entry, tuple)), None)


class BounceReceiver:
    """The listener's part: only addresses that we made are let in, and nothing else is ever relayed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.counts: Counter[Verdict] = Counter()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse every address whose seal is not ours."""
        if read_return_address(address, self._platform.settings) is None:
            return NOT_OURS
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer yes once it is kept."""
        raw = envelope.original_content or b""
        try:
            verdict = await asyncio.to_thread(take_in, self._platform, raw, sent_to=list(envelope.rcpt_tos))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the other side is to come again
            log.warning("mail.notice_failed", error=repr(error))
            return LATER
        self.counts[verdict] += 1
        return "250 OK"


class _Listener(Controller):
    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="bounces", data_size_limit=LARGEST_NOTICE_BYTES, enable_SMTPUTF8=True)


@contextmanager
def listening(platform: Platform, *, host: str, port: int) -> Iterator[BounceReceiver]:
    """Take in notices from other servers while the block lasts.

    Raises: Conflict, when the port cannot be had.
    """
    receiver = BounceReceiver(platform)
    listener = _Listener(receiver, hostname=host, port=port)
    try:
        listener.start()
    except OSError as error:
        raise Conflict(f"不能在 {host}:{port} 接收退信：{error.strerror}") from error
    try:
        yield receiver
    finally:
        listener.stop()
