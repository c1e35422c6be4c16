"""One conversation with an SMTP relay for one mail, step by step, so that every answer is known with its stage."""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

from backend.mail.codes import Reply, Stage
from backend.settings import Settings, SmtpSecurity

# After the final dot the server may take ten minutes (RFC 5321, section 4.5.3.2.6). Who hangs up sooner sends twice.
DATA_TIMEOUT_SECONDS = 600.0
LONGEST_REPLY = 480
GO_AHEAD = 354
REFUSALS = 400
LINE_WITH_DOT = re.compile(rb"(?m)^\.")
ANSWERS = range(200, 600)
NOT_ASCII = Reply(553, "邮箱地址里有英文字母、数字和常用符号以外的字符，无法寄送", Stage.RECIPIENT)


class _Refused(Exception):
    """The other side said no; the conversation ends."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass
class _Progress:
    stage: Stage = Stage.CONNECT


@dataclass(frozen=True)
class SmtpMailer:
    """Hand mails to one relay, one connection each."""

    host: str
    port: int
    security: SmtpSecurity
    username: str = ""
    password: str = ""
    local_name: str = "localhost"
    timeout_seconds: float = 30.0
    data_timeout_seconds: float = DATA_TIMEOUT_SECONDS

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:
        """Send these exact bytes and return the last answer; `hand_over` is called before the mail's last dot."""
        if not (sender.isascii() and recipient.isascii()):
            return NOT_ASCII
        progress = _Progress()
        try:
            with self._connected(progress) as relay:
                _expect(relay.mail(sender), progress.stage)
                progress.stage = Stage.RECIPIENT
                _expect(relay.rcpt(recipient), progress.stage)
                progress.stage = Stage.CONTENT
                self._send_content(relay, rendered)
                hand_over()
                progress.stage = Stage.DATA
                return self._send_dot(relay)
        except _Refused as refused:
            return refused.reply
        except smtplib.SMTPResponseException as error:
            return _reply(error.smtp_code, error.smtp_error, progress.stage)
        except (smtplib.SMTPException, OSError) as error:
            return Reply(0, f"{type(error).__name__}: {error}"[:LONGEST_REPLY], progress.stage)

    @contextmanager
    def _connected(self, progress: _Progress) -> Iterator[smtplib.SMTP]:
        """Open the conversation up to the point where the sender is named, and hang up afterwards."""
        relay = self._connect()
        try:
            progress.stage = Stage.HELLO
            relay.ehlo_or_helo_if_needed()
            if self.security is SmtpSecurity.STARTTLS:
                progress.stage = Stage.TLS
                _expect(relay.starttls(context=ssl.create_default_context()), progress.stage)
                relay.ehlo()
            if self.username:
                progress.stage = Stage.LOGIN
                relay.login(self.username, self.password)
            progress.stage = Stage.SENDER
            yield relay
        finally:
            _hang_up(relay)

    def _connect(self) -> smtplib.SMTP:
        if self.security is SmtpSecurity.TLS:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                self.host, self.port, self.local_name, timeout=self.timeout_seconds, context=context
            )
        return smtplib.SMTP(self.host, self.port, self.local_name, timeout=self.timeout_seconds)

    def _send_content(self, relay: smtplib.SMTP, rendered: bytes) -> None:
        """Send a mail but for its last dot; who never sees the dot has no mail (RFC 5321, section 4.1.1.4)."""
        code, text = relay.docmd("DATA")
        if code != GO_AHEAD:
            # A yes at this place is no answer of SMTP: nothing was handed over, and nothing was accepted.
            raise _Refused(_reply(code if code >= REFUSALS else -1, text, Stage.CONTENT))
        stuffed = LINE_WITH_DOT.sub(b"..", rendered)
        relay.send(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")

    def _send_dot(self, relay: smtplib.SMTP) -> Reply:
        if relay.sock is not None:
            relay.sock.settimeout(self.data_timeout_seconds)
        relay.send(b".\r\n")
        return _reply(*relay.getreply(), Stage.DATA)


def _hang_up(relay: smtplib.SMTP) -> None:
    """Say goodbye without waiting for an answer: what became of the mail is known, and waiting would only delay it."""
    with suppress(smtplib.SMTPException, OSError):
        relay.putcmd("QUIT")
    relay.close()


def _expect(answer: tuple[int, bytes], stage: Stage) -> None:
    """Go on when the answer is a yes."""
    code, text = answer
    if not 200 <= code < 300:  # noqa: PLR2004 - RFC 5321, section 4.2.1
        raise _Refused(_reply(code, text, stage))


def _reply(code: int, text: bytes | str, stage: Stage) -> Reply:
    """Return an answer as text that can be kept: UTF-8 or else GB 18030, one line, not endless.

    What is no answer of SMTP (smtplib gives -1 for it) counts as none.
    """
    said = text if isinstance(text, str) else _decode(text)
    one_line = re.sub(r"[\x00-\x1f\x7f\s]+", " ", said).strip()
    return Reply(code if code in ANSWERS else 0, one_line[:LONGEST_REPLY], stage)


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("gb18030", errors="replace")


def _local_name(base_url: str) -> str:
    """Return how we introduce ourselves; left to itself, smtplib would ask the name service on every connection."""
    host = urlsplit(base_url).hostname or "localhost"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if isinstance(address, IPv4Address) else f"[IPv6:{address}]"


def build_smtp_mailer(settings: Settings) -> SmtpMailer:
    """Return the mailer for the relay in the settings."""
    return SmtpMailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        local_name=_local_name(settings.base_url),
        password=settings.smtp_password.get_secret_value(),
        timeout_seconds=settings.smtp_timeout_seconds,
    )
