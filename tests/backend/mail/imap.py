"""A real IMAP server on this machine, as much of one as reading a mailbox takes (RFC 3501)."""

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CERTIFICATE = Path(__file__).parent / "mailbox_certificate.pem"  # of 127.0.0.1, until 2126


@dataclass
class Mailbox:
    """What the server holds, and what became of it."""

    mails: list[bytes]
    seen: set[int] = field(default_factory=set)
    password: str = "right"
    port: int = 0


class _Dialogue(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box: Mailbox = self.server.box  # type: ignore[attr-defined]
        self.say("* OK IMAP4rev1 ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            verb = command.split()[0].upper()
            if verb == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1")
            elif verb == "LOGIN" and box.password not in command:
                self.say(f"{tag} NO wrong password")
                continue
            elif verb == "SELECT":
                self.say(f"* {len(box.mails)} EXISTS")
            elif verb == "SEARCH":
                unread = [str(number) for number in range(1, len(box.mails) + 1) if number not in box.seen]
                self.say("* SEARCH " + " ".join(unread))
            elif verb == "FETCH":
                number = int(command.split()[1])
                mail = box.mails[number - 1]
                self.wfile.write(f"* {number} FETCH (BODY[] {{{len(mail)}}}\r\n".encode() + mail + b")\r\n")
            elif verb == "STORE":
                box.seen |= {int(found) for found in re.findall(r"STORE (\d+)", command)}
            elif verb == "LOGOUT":
                self.say("* BYE")
                self.say(f"{tag} OK")
                return
            self.say(f"{tag} OK {verb}")

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


@contextmanager
def running_imap(box: Mailbox, *, tls: bool = False) -> Iterator[Mailbox]:
    """Run the server on a free port while the block lasts; with TLS under `CERTIFICATE`, which nobody trusts as yet."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Dialogue) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.box = box  # type: ignore[attr-defined]
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
