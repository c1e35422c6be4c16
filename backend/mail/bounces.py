"""Mails that come back: read as RFC 3464 says where the other side keeps to it, and by their words where it does not.

What counts is the address a notice was sent to: only we can make one (`verp`), so a notice sent anywhere else is forged
or astray. A notice counts against its address only when it speaks of the address: that we were too fast, or that our
server is disliked, is no fault of the recipient's. Automatic replies never count.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from enum import StrEnum
from uuid import UUID

import structlog
from sqlmodel import Session

from backend.mail import addresses, repository
from backend.mail.codes import Outcome, Reply, Scope, Stage, classify
from backend.mail.tables import BounceKind, DeliveryState
from backend.mail.verp import read_return_address
from backend.settings import Settings

log = structlog.get_logger()
LONGEST_TEXT = 480
LONGEST_BODY = 20_000
# Where the address stands that a notice was really delivered to, when only its headers are at hand.
RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
AUTOMATIC_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-AutoReply-From")
AUTOMATIC_SUBJECT = re.compile(
    r"自动(回复|答复)|自動(回覆|回復)|外出|休假"
    r"|out of (the )?office|auto(matic)?[ -]?(reply|response)|vacation",
    re.IGNORECASE,
)
DAEMON = re.compile(r"mailer-daemon|postmaster|mail delivery|mdaemon|系统退信|退信", re.IGNORECASE)
SMTP_REPLY = re.compile(r"(?<![\d.])([45]\d\d)[ \-]+((?:[45]\.\d{1,3}\.\d{1,3}[ :]*)?[^\r\n]{0,200})")
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
NO_SUCH_ADDRESS = re.compile(
    r"5\.1\.[1236]\b|no such user|user (unknown|not found)|unknown user|does not exist|mailbox not found"
    r"|invalid (user|recipient)"
    r"|用户不存在|收件人不存在|邮箱不存在|地址不存在|帐?户不存在|無此使用者|查无此人",
    re.IGNORECASE,
)
HARD_STATUS = re.compile(r"5\.1\.([1236]|10)|5\.2\.1")


class Verdict(StrEnum):
    """What was done with a notice."""

    COUNTED = "counted"
    ALREADY_COUNTED = "already_counted"
    FORGED = "forged"
    AUTOMATIC_REPLY = "automatic_reply"
    NOT_ABOUT_THE_ADDRESS = "not_about_the_address"
    NOT_FINAL = "not_final"
    NO_BOUNCE = "no_bounce"


@dataclass(frozen=True)
class Reading:
    """What a notice says: the kind of bounce, or why it is none."""

    kind: BounceKind | None
    status: str = ""
    text: str = ""
    why_not: Verdict = Verdict.NO_BOUNCE


def receive(session: Session, raw: bytes, *, sent_to: Sequence[str], settings: Settings, now: datetime) -> Verdict:
    """Take in one mail that came to the bounce address, and say what was done with it.

    `sent_to` are the recipients of its envelope; without them its headers are asked.
    """
    notice = _parse(raw)
    outbox_id = _which_mail(notice, sent_to, settings)
    message = repository.lock_message(session, outbox_id) if outbox_id else None
    if message is None or message.handed_at is None:
        return _note(Verdict.FORGED, outbox_id)
    reading = read_notice(notice)
    if reading.kind is None:
        return _note(reading.why_not, outbox_id)
    if message.state is DeliveryState.UNKNOWN:
        # It came back, so it had arrived: no need to send it again.
        message.next_try_at, message.settled_at = None, message.settled_at or now
        session.add(message)
    before = addresses.find_kind(session, message.id)
    after = addresses.record_bounce(
        session, message, reading.kind, status=reading.status, text=reading.text, now=now
    ).kind
    return _note(Verdict.ALREADY_COUNTED if before is after else Verdict.COUNTED, outbox_id)


def _note(verdict: Verdict, outbox_id: UUID | None) -> Verdict:
    log.info("mail.notice", verdict=verdict.value, outbox_id=str(outbox_id or ""))
    return verdict


def _parse(raw: bytes) -> Message:
    try:
        return message_from_bytes(raw, policy=compat32)
    except (MessageError, ValueError, LookupError):
        return Message()


def _which_mail(notice: Message, sent_to: Sequence[str], settings: Settings) -> UUID | None:
    headers = [] if sent_to else [str(one) for name in RECIPIENT_HEADERS for one in notice.get_all(name, [])]
    found = (read_return_address(address, settings) for address in [*sent_to, *headers])
    return next((outbox_id for outbox_id in found if outbox_id), None)


def read_notice(notice: Message) -> Reading:
    """Return what one notice says, whoever it is about."""
    parts = list(_parts(notice))
    if any(part.get_content_type() == "message/feedback-report" for part in parts):
        return Reading(BounceKind.COMPLAINT, text="收件人把邮件标为垃圾邮件")
    groups = [group for part in parts if _is_status(part) for group in _groups(part)]
    told = [group for group in groups if group.get("Action") or group.get("Status")]
    if told:
        return max((_read_group(group, parts) for group in told), key=_gravity)
    if _is_automatic(notice):
        return Reading(None, why_not=Verdict.AUTOMATIC_REPLY)
    return _read_words(notice, parts) if _is_from_daemon(notice) else Reading(None)


def _parts(notice: Message) -> Iterator[Message]:
    """Yield the parts of a notice, those of a notice within it, but not those of the mail that came back."""
    yield notice
    if notice.get_content_type() == "message/delivery-status" or not notice.is_multipart():
        return
    payload: object = notice.get_payload()
    for part in payload if isinstance(payload, list) else []:
        is_returned = notice.get_content_type() == "multipart/report" and part.get_content_type() == "message/rfc822"
        if isinstance(part, Message) and not is_returned:
            yield from _parts(part)


def _is_status(part: Message) -> bool:
    return part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}


def _groups(part: Message) -> list[Message]:
    """Return the groups of fields of a delivery status; some servers send them as text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [group for group in payload if isinstance(group, Message)]
    blocks = re.split(r"\r?\n\r?\n", _decode(part))
    return [message_from_bytes(block.encode("utf-8", "replace")) for block in blocks if block.strip()]


def _read_group(group: Message, parts: Sequence[Message]) -> Reading:
    action = str(group.get("Action", "")).split(";")[0].strip().lower()
    found = STATUS.search(str(group.get("Status", "")))
    status = found[0] if found else ""
    diagnostic = _header(group, "Diagnostic-Code")
    said = _one_line(diagnostic.partition(";")[2] or diagnostic)
    if action in {"delayed", "relayed", "delivered", "expanded"}:
        return Reading(None, status, said, Verdict.NOT_FINAL)
    return _judge(status, said or _words(parts), is_told=bool(said))


def _read_words(notice: Message, parts: Sequence[Message]) -> Reading:
    words = _words(parts)
    found = STATUS.search(words)
    return _judge(found[0] if found else "", words or _one_line(str(notice.get("Subject", ""))), is_told=bool(words))


def _judge(status: str, said: str, *, is_told: bool) -> Reading:
    """Say what a failure means for the address, from what the other side answered, or else from the status alone."""
    found = SMTP_REPLY.search(said) if is_told else None
    text = said[:LONGEST_TEXT]
    if found:
        verdict = classify(Reply(int(found[1]), f"{found[1]} {found[2]}", Stage.RECIPIENT))
        if verdict.scope is not Scope.PERSON:
            return Reading(None, status, text, Verdict.NOT_ABOUT_THE_ADDRESS)
        is_hard = verdict.outcome is Outcome.PERMANENT and not status.startswith("4")
        vague = not NO_SUCH_ADDRESS.search(said) and status and not HARD_STATUS.fullmatch(status)
        is_other = vague and status not in {"5.0.0", "5.5.0"}
        return Reading(BounceKind.HARD if is_hard and not is_other else BounceKind.SOFT, status, text)
    if status.startswith("5.7"):
        return Reading(None, status, text, Verdict.NOT_ABOUT_THE_ADDRESS)
    is_hard = bool(HARD_STATUS.fullmatch(status)) or (is_told and bool(NO_SUCH_ADDRESS.search(said)))
    return Reading(BounceKind.HARD if is_hard else BounceKind.SOFT, status, text)


def _gravity(reading: Reading) -> int:
    return addresses.SEVERITY[reading.kind] + 1 if reading.kind else 0


def _is_automatic(notice: Message) -> bool:
    """Tell whether a mail answers by itself (RFC 3834), or says so in its subject."""
    submitted = str(notice.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(notice.get("Precedence", "")).strip().lower()
    is_marked = any(notice.get(name) for name in AUTOMATIC_HEADERS) or precedence in {"auto_reply", "auto-reply"}
    is_titled = AUTOMATIC_SUBJECT.search(_header(notice, "Subject")) is not None
    return is_titled or is_marked or (submitted == "auto-replied" and not _is_from_daemon(notice))


def _is_from_daemon(notice: Message) -> bool:
    return str(notice.get("Return-Path", "")).strip() == "<>" or DAEMON.search(_header(notice, "From")) is not None


def _header(notice: Message, name: str) -> str:
    """Return a header as people read it; one that cannot be decoded as it stands."""
    raw = str(notice.get(name, ""))
    try:
        return str(make_header(decode_header(raw)))
    except (MessageError, ValueError, LookupError):
        return raw


def _words(parts: Sequence[Message]) -> str:
    texts = [part for part in parts if part.get_content_maintype() == "text" and not part.is_multipart()]
    joined = " ".join(re.sub(r"<[^>]+>", " ", _decode(part)) for part in texts)
    return _one_line(joined[:LONGEST_BODY])


def _decode(part: Message) -> str:
    """Return a part's text: in its own charset if that is one, else as UTF-8, else as GB 18030."""
    payload = part.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return octets.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return octets.decode("gb18030", errors="replace")


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\s]+", " ", text).strip()
