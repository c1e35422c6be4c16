"""A real SMTP server on this machine that knows at which point of the dialogue it is, and may strike there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Point(StrEnum):
    """Where the dialogue is when the server has read, and not yet answered."""

    CONNECT = "connect"
    HELLO = "hello"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    DOT = "dot"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Arrival:
    """One mail that the server took."""

    recipient: str
    message_id: str
    at: float
    content: bytes


@dataclass
class Stage:
    """What the server saw, and what it does when a point is reached."""

    arrivals: list[Arrival] = field(default_factory=list)
    armed: Point | None = None
    strike: Callable[[], None] | None = None
    strikes: int = 0
    keeps_content: bool = False

    def reached(self, point: Point) -> None:
        """Strike if this point is armed; once."""
        if self.armed is point and self.strike is not None:
            self.armed = None
            self.strikes += 1
            self.strike()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail whose last dot was read: from here on this side has it."""
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            kept = content if self.keeps_content else b""
            self.arrivals.append(Arrival(recipient, _message_id(content), time.monotonic(), kept))
        self.reached(Point.DOT)
        return "250 OK"


def _message_id(content: bytes) -> str:
    for line in content.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if line.lower().startswith(b"message-id:"):
            return line.split(b":", 1)[1].strip().decode("ascii", errors="replace")
    return ""


class _StagedServer(SMTP):
    """The dialogue, with a word to the stage before each answer."""

    @property
    def _stage(self) -> Stage:
        stage = self.event_handler
        if not isinstance(stage, Stage):
            raise TypeError(f"this server plays on {type(stage)!r}")
        return stage

    async def _handle_client(self) -> None:
        self._stage.reached(Point.CONNECT)
        await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self._stage.reached(Point.HELLO)
        await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        self._stage.reached(Point.SENDER)
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        self._stage.reached(Point.RECIPIENT)
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._stage.reached(Point.DATA)
        await super().smtp_DATA(arg)
        self._stage.reached(Point.ACCEPTED)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _StagedServer(self.handler, hostname="relay.example.com")

    def _trigger_server(self) -> None:
        # The controller wants to knock at the port it was given, and was given none.
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def running_stage(stage: Stage) -> Iterator[int]:
    """Run the server on a free port while the block lasts, and give the port."""
    controller = _Controller(stage, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
