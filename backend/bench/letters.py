"""Thousands of real digests, composed, queued, rendered to bytes, signed, and then read by a strict eye of its own.

The signature is verified here by hand (RFC 6376: relaxed canonical form, SHA-256, RSA), by nothing that the library
which signs has a part in, over the exact bytes that would be sent.
"""

import base64
import hashlib
import random
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message as Mail
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from backend.accounts.tables import Account
from backend.bench.market import MONDAY, fill, make_platform, make_settings
from backend.bench.rsa import KeyPair, make_key
from backend.digests import service
from backend.digests.message import CATEGORY
from backend.digests.week import Week
from backend.mail.messages import LARGEST_HTML_BYTES, Message
from backend.mail.signing import Signer
from backend.mail.tables import OutboxMessage
from backend.mail.wire import render_bytes
from backend.platform import Platform

MAIL_FROM = "技桥 <notice@jiqiao.example.com>"
DOMAIN, SELECTOR = "jiqiao.example.com", "bench"
LONGEST_LINE, LONGEST_WORD, LONGEST_WORD_LINE = 998, 75, 76
ONCE = (
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    "List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "Feedback-ID",
)  # fmt: skip
ALLOWED = frozenset(name.lower() for name in (*ONCE, "DKIM-Signature"))
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
SIGNED = ("from", "to", "subject", "list-unsubscribe", "list-unsubscribe-post")
HOSTILE = (
    "李明\r\nBcc: victim@example.com", "李明\nSubject: 换了", "\rX-Evil: 1", "a\u2028Bcc: x@example.com",
    "b\u2029X: 1", "\x00零", "\x0b纵\x0c换", "名\x85下一行", '"; DROP TABLE', "<script>alert(1)</script>",
    "=?utf-8?b?Qmxhbms=?=", "=?x?q?=0D=0A?=", "\u202e反\u202c", "𠮷𡈽𰻞", "👩‍👩‍👧‍👦" * 10, "é" * 60, "a" * 60,
    "名, 姓 <x@example.com>", "(注释)", r'\"\\',
)  # fmt: skip


@dataclass(frozen=True)
class Letters:
    """What was measured and what was found."""

    digests: int
    compose_and_queue_seconds: float
    compose_and_queue_cpu_seconds: float
    seconds_each: float
    validated: int
    invalid: int
    largest_html_bytes: int
    hostile: int
    injected: int
    seed: int
    first_fault: str = ""

    @property
    def is_clean(self) -> bool:
        """Tell whether every mail is as it must be."""
        return not (self.invalid or self.injected) and self.largest_html_bytes <= LARGEST_HTML_BYTES

    def as_data(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


def run_letters(*, digests: int, hostile: int, seed: int) -> Letters:
    """Compose so many digests, then look at each of them, and at so many whose names mean harm."""
    signer, public = _make_signer()
    with tempfile.TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        platform = make_platform(make_settings(Path(folder)), clock=lambda: MONDAY, is_pooled=True)
        readers = fill(platform, readers=digests)
        _rename(platform, readers, seed)
        started, cpu_started = time.monotonic(), time.process_time()
        week = Week.of(MONDAY)
        with platform.transaction() as session:
            service.open_edition(session, week, now=MONDAY)
        for account_id in readers:
            with platform.transaction() as session:
                service.compose_digest(session, account_id, week, platform=platform)
        seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
        faults, validated, largest = [], 0, 0
        for message in _posted(platform):
            validated += 1
            largest = max(largest, len(message.body_html.encode()))
            faults += [f"{message.key}: {fault}" for fault in find_faults(message, signer, public)][:1]
        injected = sum(not _is_harmless(platform, text, signer, public) for text in _hostile_texts(hostile, seed))
        platform.database.dispose()
    return Letters(
        digests=digests,
        compose_and_queue_seconds=round(seconds, 1),
        compose_and_queue_cpu_seconds=round(cpu_seconds, 1),
        seconds_each=round(seconds / max(digests, 1), 4),
        validated=validated,
        invalid=len(faults),
        largest_html_bytes=largest,
        hostile=hostile,
        injected=injected,
        seed=seed,
        first_fault=faults[0] if faults else "",
    )


def _make_signer() -> tuple[Signer, KeyPair]:
    pair = make_key()
    return Signer(DOMAIN, SELECTOR, pair.private_pem()), pair


def _rename(platform: Platform, readers: Sequence[UUID], seed: int) -> None:
    """Give the readers names of every sort of letter."""
    chance = random.Random(seed)  # noqa: S311 - reproducible chance
    letters = "王李张刘陈杨赵黄周吴𠮷𡈽𰻞éñüabcXYZ ·、，0123"
    with platform.transaction() as session:
        for account_id in readers:
            account = session.get_one(Account, account_id)
            account.display_name = "".join(chance.choices(letters, k=chance.randint(1, 30))).strip() or "王"
            session.add(account)


def _posted(platform: Platform) -> Iterator[OutboxMessage]:
    last = ""
    while True:
        with platform.reading() as session:
            query = select(OutboxMessage).where(OutboxMessage.category == CATEGORY, col(OutboxMessage.key) > last)
            page = session.exec(query.order_by(col(OutboxMessage.key)).limit(200)).all()
        if not page:
            return
        yield from page
        last = page[-1].key


def find_faults(message: OutboxMessage, signer: Signer, public: KeyPair) -> Iterator[str]:
    """Yield what is wrong with the bytes of a mail; nothing for a good one."""
    raw = signer.sign(render_bytes(message, mail_from=MAIL_FROM))
    mail = message_from_bytes(raw)
    yield from _header_faults(mail, message)
    yield from _line_faults(raw)
    yield from _part_faults(mail, message)
    if not verify_dkim(raw, public):
        yield "the signature does not verify"
    named = re.sub(r"\s", "", str(mail["DKIM-Signature"]))
    signed = re.search(r"[;^]h=([^;]*)", named)
    if signed is None or not set(SIGNED) <= set(signed[1].lower().split(":")):
        yield "the signature leaves headers out"


def _header_faults(mail: Mail, message: OutboxMessage) -> Iterator[str]:
    for name in ONCE:
        if len(mail.get_all(name, [])) != 1:
            yield f"{name} is there {len(mail.get_all(name, []))} times"
    foreign = {name.lower() for name in mail} - ALLOWED
    if foreign:
        yield f"headers that nobody meant: {sorted(foreign)}"
    if _decoded(str(mail["Subject"])) != message.subject:
        yield f"the subject reads {_decoded(str(mail['Subject']))!r}"
    if not re.fullmatch(r"<https://[^\s<>,]+>", str(mail["List-Unsubscribe"])):
        yield "List-Unsubscribe is no https address"
    if mail["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not one-click"
    if not re.fullmatch(r"<[^\s<>@]+@[^\s<>@]+>|<[0-9a-f]{40}>", str(mail["Message-ID"])):
        yield "Message-ID is malformed"


def _decoded(value: str) -> str:
    """Return a header as RFC 2047 reads it; each word must be whole characters by itself."""
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    return "".join(
        part.decode(charset or "ascii") if isinstance(part, bytes) else part
        for part, charset in decode_header(unfolded)
    )


def _line_faults(raw: bytes) -> Iterator[str]:
    if raw.replace(b"\r\n", b"").count(b"\n") or raw.replace(b"\r\n", b"").count(b"\r"):
        yield "a bare line end"
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii", "surrogateescape")
    if not head.isascii():
        yield "a header outside ASCII"
    if max(map(len, raw.split(b"\r\n"))) > LONGEST_LINE:
        yield "a line too long"
    for word in ENCODED_WORD.findall(head):
        octets = base64.b64decode(word.split("?")[3])
        try:
            octets.decode("utf-8")
        except UnicodeDecodeError:
            yield f"an encoded word splits a character: {word}"
        if len(word) > LONGEST_WORD:
            yield f"an encoded word of {len(word)} octets"
    for line in head.split("\r\n"):
        if ENCODED_WORD.search(line) and len(line) > LONGEST_WORD_LINE:
            yield f"a line of {len(line)} octets with an encoded word"


def _part_faults(mail: Mail, message: OutboxMessage) -> Iterator[str]:
    if mail.get_content_type() != "multipart/alternative":
        yield f"the mail is {mail.get_content_type()}"
        return
    parts = [part for part in mail.walk() if not part.is_multipart()]
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        yield "the parts are not text and HTML"
        return
    for part, written in zip(parts, (message.body_text, message.body_html), strict=True):
        payload = part.get_payload(decode=True)
        read = payload.decode("utf-8") if isinstance(payload, bytes) else ""
        if read.splitlines() != written.splitlines():
            yield f"the {part.get_content_type()} part reads otherwise than it was written"


def verify_dkim(raw: bytes, public: KeyPair) -> bool:
    """Verify a relaxed/relaxed rsa-sha256 signature over exact bytes (RFC 6376, sections 3.4 to 3.7)."""
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    signature = next((one for one in fields if one.lower().startswith(b"dkim-signature:")), None)
    if signature is None:
        return False
    tags = dict(re.findall(r"([a-z]+)=([^;]*)", re.sub(r"\s+", "", signature.split(b":", 1)[1].decode("ascii"))))
    if tags.get("c") != "relaxed/relaxed" or tags.get("a") != "rsa-sha256":
        return False
    if base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode() != tags["bh"]:
        return False
    left: dict[bytes, list[bytes]] = {}
    for one in fields:
        left.setdefault(one.split(b":", 1)[0].strip().lower(), []).append(one)
    # Named again than it is there, a header is signed as absent: nobody can add one.
    chosen = [left[name].pop() for name in tags["h"].lower().encode().split(b":") if left.get(name)]
    emptied = re.sub(rb"([;\s:])b=[^;]*", rb"\1b=", signature, count=1)
    signed = b"".join(_relaxed_header(one) + b"\r\n" for one in chosen) + _relaxed_header(emptied)
    return public.verifies(base64.b64decode(tags["b"]), signed)


def _relaxed_header(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _hostile_texts(count: int, seed: int) -> Iterator[str]:
    """Yield texts that mean harm: the known ones, and mixtures of them."""
    chance = random.Random(seed)  # noqa: S311 - reproducible chance
    for number in range(count):
        known = HOSTILE[number % len(HOSTILE)]
        yield known if number < len(HOSTILE) else "".join(chance.sample(known + chance.choice(HOSTILE), k=len(known)))


def _is_harmless(platform: Platform, text: str, signer: Signer, public: KeyPair) -> bool:
    """Tell whether a name and subject are either refused before anything is kept, or go out as nothing but text."""
    try:
        message = Message(
            category=CATEGORY,
            recipient="reader@example.com",
            recipient_name=text,
            subject=text,
            text="正文\n",
            html="<!doctype html><p>正文</p>",
            headers={
                "List-Unsubscribe": f"<{platform.settings.base_url}/digest/unsubscribe/x>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "List-ID": "<digest.jiqiao.example.com>",
                "Feedback-ID": "2026-W48:digest:jiqiao",
            },
        )
    except ValueError:
        return True
    posted = OutboxMessage(
        key="hostile",
        message_id="a" * 40,
        category=message.category,
        recipient=message.recipient,
        recipient_name=message.recipient_name,
        subject=message.subject,
        body_text=message.text,
        body_html=message.html,
        headers=dict(message.headers),
        posted_at=MONDAY,
        queued_at=MONDAY,
    )
    return not list(find_faults(posted, signer, public))
