"""The parts of a platform that mail uses, and a mail to send through them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Engine
from sqlmodel import Session

from backend.database import reading, transaction
from backend.mail import delivery, outbox, recovery
from backend.mail.messages import Message, compose
from backend.mail.smtp import SmtpMailer
from backend.mail.tables import OutboxMessage
from backend.settings import Settings, SmtpSecurity


class PowerCut(BaseException):
    """Whatever ends a process at once; no handler of ours may catch it."""


@dataclass
class PostOffice:
    """A platform as far as mail knows it: real transactions on a real database."""

    settings: Settings
    database: Engine
    clock: Any
    queue: Any
    mailer: Any = None
    slept: list[float] = field(default_factory=list)

    def transaction(self) -> AbstractContextManager[Session]:
        return transaction(self.database, queue=self.queue)

    def reading(self) -> AbstractContextManager[Session]:
        return reading(self.database)

    def post(self, message: Message, *, key: str) -> OutboxMessage:
        with self.transaction() as session:
            return outbox.post(session, message, key=key, now=self.clock())

    def deliver(self, outbox_id: UUID) -> OutboxMessage:
        delivery.deliver(self, outbox_id, sleep=self.slept.append)
        return self.look_up(outbox_id)

    def resume(self) -> int:
        return recovery.resume(self)

    def drain(self) -> None:
        """Run what was queued, once each."""
        entries, self.queue.entries[:] = list(self.queue.entries), []
        for _job, payload in entries:
            delivery.deliver(self, UUID(payload["outbox_id"]), sleep=self.slept.append)

    def look_up(self, outbox_id: UUID) -> OutboxMessage:
        with self.reading() as session:
            return session.get_one(OutboxMessage, outbox_id)

    def use_relay(self, port: int, **changes: Any) -> None:
        """Send through a server on this machine from now on."""
        values: dict[str, Any] = {"timeout_seconds": 5, "data_timeout_seconds": 5, **changes}
        self.mailer = SmtpMailer("127.0.0.1", port, SmtpSecurity.NONE, **values)


@dataclass
class FailingMailer:
    """Ends the process at one point of the conversation, and counts the mails that the other side got."""

    after_hand_over: bool = True
    delivered: list[bytes] = field(default_factory=list)

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Any:
        if not self.after_hand_over:
            raise PowerCut
        hand_over()
        self.delivered.append(rendered)
        raise PowerCut


def compose_sample(**changes: Any) -> Message:
    """Write a mail of a template that ships."""
    values: dict[str, Any] = {
        "recipient": "li.ming@example.com",
        "recipient_name": "李明",
        "category": "moderation",
        "kind": "需求",
        "title": "钢渣微粉制备高强混凝土掺合料",
        "reason": "请补充年处理量。\n预算也请写明。",
        "link": "https://jiqiao.example.com/listings/1?tab=edit&from=mail",
        **changes,
    }
    return compose("listing_returned", **values)
