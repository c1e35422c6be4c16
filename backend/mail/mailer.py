"""The ways a mail can leave: to the terminal, into a folder, to an SMTP relay."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol, TextIO

from backend.mail.codes import Reply
from backend.mail.signing import build_signer
from backend.mail.smtp import SmtpMailer, build_smtp_mailer
from backend.settings import MailerKind, Settings

__all__ = ["ConsoleMailer", "FolderMailer", "Mailer", "Reply", "SmtpMailer", "build_mailer"]


class Mailer(Protocol):
    """What delivers the bytes of one mail."""

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:
        """Deliver these exact bytes and return the other side's last answer.

        `hand_over` is called once, at the last moment at which it is certain that the other side cannot have the
        mail; when it raises, nothing more is sent. Failures of the network are replies with code 0, not exceptions.
        """


@dataclass(frozen=True)
class ConsoleMailer:
    """Show mails on the terminal."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:
        """Print the subject and the text of a mail."""
        hand_over()
        mail = _parse(rendered)
        text = mail.get_body(("plain",))
        body = text.get_content() if isinstance(text, EmailMessage) else ""
        self.stream.write(f"\n── {sender} → {recipient}\n── {mail['Subject']}\n\n{body}\n")
        self.stream.flush()
        return Reply(250, "已显示在终端")


@dataclass(frozen=True)
class FolderMailer:
    """Keep mails as .eml files; a mail sent again replaces itself, because its Message-ID names the file."""

    folder: Path

    def send(self, rendered: bytes, sender: str, recipient: str, hand_over: Callable[[], None]) -> Reply:  # noqa: ARG002
        """Write one mail to its file, whole or not at all."""
        hand_over()
        self.folder.mkdir(parents=True, exist_ok=True)
        name = str(_parse(rendered)["Message-ID"]).strip("<>").split("@", 1)[0]
        target = self.folder / f"{name}.eml"
        aside = self.folder / f".{name}.{os.getpid()}"
        with aside.open("wb") as file:
            file.write(rendered)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
        return Reply(250, "已写入本机的邮件文件夹")


def _parse(rendered: bytes) -> EmailMessage:
    mail = message_from_bytes(rendered, policy=SMTP)
    if not isinstance(mail, EmailMessage):
        raise TypeError(f"the SMTP policy made {type(mail)!r}")
    return mail


def build_mailer(settings: Settings) -> Mailer:
    """Return the mailer that the settings ask for.

    Raises: ValueError when the DKIM settings are incomplete or their key cannot be read: better now than per mail.
    """
    build_signer(settings)
    match settings.mailer:
        case MailerKind.SMTP:
            return build_smtp_mailer(settings)
        case MailerKind.FOLDER:
            return FolderMailer(settings.mail_dir)
        case MailerKind.CONSOLE:
            return ConsoleMailer()
