"""The bytes of a mail as they go over the wire.

Header lines are written here and not by the `email` package: its folding was seen to make encoded words of up to 77
octets where RFC 2047 allows 75, to lose blanks between encoded words, and to encode a long List-Unsubscribe address
until no receiver can read it. The MIME parts are the package's.
"""

import base64
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from backend.mail.tables import OutboxMessage

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
# RFC 2047, section 2: an encoded word has at most 75 characters, a line with one at most 76.
WORD_START, WORD_END, LONGEST_WORD = "=?utf-8?b?", "?=", 75
LONGEST_PLAIN_LINE = 78
LONGEST_LINE = 998
PRINTABLE_ASCII = re.compile(r"[\x20-\x7e]*")
ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def render_bytes(message: OutboxMessage, *, mail_from: str) -> bytes:
    """Return a mail of the outbox as bytes; the same mail gives the same bytes whenever it is asked for."""
    name, address = parseaddr(mail_from)
    lines = [
        f"From: {format_address(name, address, start=6)}",
        f"To: {format_address(message.recipient_name, message.recipient, start=4)}",
        f"Subject: {encode_words(message.subject, start=9)}",
        f"Date: {format_datetime(message.posted_at.astimezone(LOCAL_ZONE))}",
        f"Message-ID: <{message.message_id}>",
        "Auto-Submitted: auto-generated",
        *(f"{field}: {_fold_list(value)}" for field, value in sorted(message.headers.items())),
    ]
    head = "".join(line + "\r\n" for line in lines)
    _check_lines(head)
    return head.encode() + _parts(message)


def sender_address(mail_from: str) -> str:
    """Return the bare address of a sender such as `技桥 <notice@example.com>`."""
    return parseaddr(mail_from)[1]


def encode_words(text: str, *, start: int) -> str:
    """Return a header's text, as it is when it is plain and short, in encoded words otherwise.

    `start` counts the characters that stand before it on its line.
    """
    is_plain = PRINTABLE_ASCII.fullmatch(text) and "=?" not in text and text == text.strip()
    if is_plain and start + len(text) <= LONGEST_PLAIN_LINE:
        return text
    return _in_words(text, start=start)


def _in_words(text: str, *, start: int) -> str:
    words = (base64.b64encode(chunk).decode("ascii") for chunk in _chunks(text, start))
    return "\r\n ".join(f"{WORD_START}{word}{WORD_END}" for word in words)


def _chunks(text: str, start: int) -> Iterator[bytes]:
    """Cut text into pieces that fit an encoded word each, never inside a character.

    The first word shares its line with what stands before it; each other line holds one blank and one word.
    """
    chunk, room = b"", _octets_in(LONGEST_WORD + 1 - start)
    for character in text:
        octets = character.encode()
        if len(chunk) + len(octets) > room:
            yield chunk
            chunk, room = b"", _octets_in(LONGEST_WORD)
        chunk += octets
    if chunk:
        yield chunk


def _octets_in(length: int) -> int:
    """Return how many octets an encoded word of this length can hold: base64 gives 4 characters for every 3."""
    return (length - len(WORD_START) - len(WORD_END)) // 4 * 3


def format_address(name: str, address: str, *, start: int) -> str:
    """Return a mailbox: the name in words or quotes, the address in brackets."""
    if not name:
        return address
    if PRINTABLE_ASCII.fullmatch(name) and "=?" not in name and start + len(name) <= LONGEST_PLAIN_LINE:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        phrase = name if ATOMS.fullmatch(name) else f'"{escaped}"'
    else:
        phrase = _in_words(name, start=start)
    return f"{phrase}\r\n <{address}>"


def _fold_list(value: str) -> str:
    """Break a list of addresses after its commas; an address itself is never broken."""
    return re.sub(r",\s*(?=<)", ",\r\n ", value)


def _check_lines(head: str) -> None:
    for line in head.split("\r\n"):
        if len(line.encode()) > LONGEST_LINE or "\n" in line or "\r" in line:
            raise ValueError(f"not a header line: {line[:80]!r}")


def _parts(message: OutboxMessage) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail.set_content(message.body_text, cte="base64")
    mail.add_alternative(message.body_html, subtype="html", cte="base64")
    # Both parts are base64, in which an underscore cannot occur: no text can fake the boundary.
    mail.set_boundary(f"=_{message.id.hex}")
    return mail.as_bytes()
