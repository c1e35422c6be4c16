"""A real SMTP server on this machine, told how to misbehave."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

READY = "250 OK: queued as 1"


@dataclass
class Script:
    """What the server says at each step; a step it is silent on goes well. `data=None` hangs up without an answer."""

    greeting: str = ""
    mail: str = "250 OK"
    rcpt: str = "250 OK"
    data: str | None = READY
    hangs: bool = False


@dataclass
class Received:
    """What came over the wire, as the server saw it."""

    sender: str
    recipients: list[str]
    content: bytes


@dataclass
class ScriptedHandler:
    script: Script
    received: list[Received] = field(default_factory=list)
    seen_at_data: list[Any] = field(default_factory=list)
    seen_at_dot: list[Any] = field(default_factory=list)
    witness: Any = None

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.script.mail.startswith("2"):
            envelope.mail_from = address
        return self.script.mail

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.script.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.script.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        if self.witness is not None:
            self.seen_at_dot.append(self.witness())
        self.received.append(Received(str(envelope.mail_from), list(envelope.rcpt_tos), content))
        if self.script.hangs:
            await asyncio.Event().wait()
        if self.script.data is None:
            server.transport.abort()
            return READY
        return self.script.data


class ScriptedServer(SMTP):
    """An SMTP server that may greet in its own way, and asks its witness when DATA begins."""

    async def _handle_client(self) -> None:
        if self.event_handler.script.greeting:
            await self.push(self.event_handler.script.greeting)
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.event_handler.witness is not None:
            self.event_handler.seen_at_data.append(self.event_handler.witness())
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return ScriptedServer(self.handler, hostname="relay.example.com", data_size_limit=2**22)

    def _trigger_server(self) -> None:
        # The controller wants to knock at the port it was given, and was given none.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class Relay:
    port: int
    handler: ScriptedHandler

    @property
    def received(self) -> list[Received]:
        return self.handler.received


@contextmanager
def running_relay(script: Script | None = None) -> Iterator[Relay]:
    """Run a server on a free port while the block lasts."""
    handler = ScriptedHandler(script or Script())
    controller = _Controller(handler, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield Relay(controller.port, handler)
    finally:
        controller.stop()
