"""A server told line by line how to misbehave: silence, hanging up, nonsense, refusals, at any point."""

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HANG_UP, SILENCE, RESET = "hang up", "silence", "reset"
USUAL = {
    "GREETING": "220 ready",
    "EHLO": "250 ready",
    "HELO": "250 ready",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go ahead",
    ".": "250 OK",
    "QUIT": "221 bye",
    "STARTTLS": "454 not now",
    "AUTH": "535 no",
}


@dataclass
class Wayward:
    """What the server says at each step, and how many mails it took."""

    says: Mapping[str, str]
    after_octets: int | None = None
    port: int = 0
    taken: int = 0
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)


class _Dialogue(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):
            self._talk(self.server.play)  # type: ignore[attr-defined]

    def _talk(self, play: Wayward) -> None:
        play.connections += 1
        if not self._say("GREETING", play):
            return
        while line := self.rfile.readline():
            verb = line.split()[0].decode("ascii", "replace").upper() if line.split() else ""
            if not self._say(verb, play):
                return
            if verb == "DATA" and play.says.get("DATA", USUAL["DATA"]).startswith("354") and not self._content(play):
                return
            if verb == "QUIT":
                return

    def _content(self, play: Wayward) -> bool:
        read = 0
        while line := self.rfile.readline():
            read += len(line)
            if play.after_octets is not None and read > play.after_octets:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.connection.close()
                return False
            if line == b".\r\n":
                answer = play.says.get(".", USUAL["."])
                play.taken += answer.startswith("2") or answer in {HANG_UP, SILENCE, RESET}
                return self._say(".", play)
        return False

    def _say(self, step: str, play: Wayward) -> bool:
        answer = play.says.get(step, USUAL.get(step, "502 what"))
        if answer == SILENCE:
            play.stopping.wait(20)
            return False
        if answer == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if answer in {HANG_UP, RESET}:
            self.connection.close()
            return False
        self.wfile.write(answer.encode("utf-8", "surrogateescape") + b"\r\n")
        return not answer.startswith("421")


@contextmanager
def running_wayward(says: Mapping[str, str], *, after_octets: int | None = None) -> Iterator[Wayward]:
    """Run the server on a free port while the block lasts."""
    play = Wayward(says, after_octets)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Dialogue) as server:
        server.play = play  # type: ignore[attr-defined]
        server.daemon_threads = True
        server.block_on_close = False
        play.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield play
        finally:
            play.stopping.set()
            server.shutdown()
            thread.join()
