"""A mailer that keeps what it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from backend.mail.codes import Reply


@dataclass
class MemoryMailer:
    """Deliver into a list."""

    sent: list[EmailMessage] = field(default_factory=list)

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:
        hand_over()
        mail = message_from_bytes(rendered, policy=SMTP)
        assert isinstance(mail, EmailMessage)
        self.sent.append(mail)
        return Reply(250, "kept")
