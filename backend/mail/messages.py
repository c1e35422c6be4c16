"""Mails as data: rendered from `frontend/templates/emails/<name>/`, before anything is sent.

A mail is three files: `subject.txt`, `body.txt` and `body.mjml`. They see the values given to `compose` and, beside
them, `recipient`, `recipient_name`, `subject` (in the bodies) and `sender`. Anything else that is named is an error.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import css_inline
import mrml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from backend.settings import PROJECT, Settings

TEMPLATES = PROJECT / "frontend" / "templates"
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
LONGEST_SUBJECT = 300
# Gmail cuts a mail at 102 kB; the platform's own limit leaves room for what relays add.
LARGEST_HTML_BYTES = 60_000
# Control characters that XML, and so MJML, cannot hold; a text with one is still worth sending.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
WEEKDAYS = "一二三四五六日"
# mrml writes this rule for the sake of Outlook 2007; inlined on every cell it would double the mail's size. The tables
# say cellspacing="0" themselves.
TABLE_RULE = "table, td { border-collapse: collapse; mso-table-lspace: 0pt; mso-table-rspace: 0pt; }"
ADDRESS = re.compile(r"[^\s<>()\[\]:;,\\\"@]+@[^\s<>()\[\]:;,\\\"@]+")
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
OWN_HEADERS = frozenset(
    {
        "from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "mime-version",
        "content-type", "content-transfer-encoding", "auto-submitted", "dkim-signature", "return-path", "received",
    }
)  # fmt: skip


class TooLongError(ValueError):
    """The HTML of a mail is larger than mail programs show."""


@dataclass(frozen=True)
class Sender:
    """Who runs the platform, as the foot of every mail says."""

    operator: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Message:
    """One mail to one person: subject, text and HTML final; `headers` are those beside the usual ones."""

    category: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_addressee(self.recipient, self.recipient_name)
        _refuse_controls(self.subject)
        for name, value in self.headers.items():
            if not HEADER_NAME.fullmatch(name) or name.lower() in OWN_HEADERS:
                raise ValueError(f"a message may not set the header {name!r}")
            if not value.isascii():
                raise ValueError(f"the header {name} must be ASCII, not {value!r}")
            _refuse_controls(value)


def sender_of(settings: Settings) -> Sender:
    """Return who runs the platform according to its settings."""
    return Sender(operator=settings.operator_name, contact=settings.operator_contact)


def compose(
    name: str,
    *,
    recipient: str,
    recipient_name: str,
    category: str,
    headers: Mapping[str, str] | None = None,
    sender: Sender | None = None,
    **values: Any,
) -> Message:
    """Write one mail from the three templates of `name`.

    Raises: ValueError when a line break would enter a header, the subject is too long or the HTML too large;
    jinja2.UndefinedError when a template names a value that was not given.
    """
    _check_addressee(recipient, recipient_name)
    known = {
        **values,
        "recipient": recipient,
        "recipient_name": recipient_name,
        "sender": sender or Sender(),
    }
    subject = _one_line(_render(f"emails/{name}/subject.txt", known))
    known["subject"] = subject
    return Message(
        category=category,
        recipient=recipient,
        recipient_name=recipient_name,
        subject=subject,
        text=_tidy(_render(f"emails/{name}/body.txt", known)),
        html=to_html(_render(f"emails/{name}/body.mjml", known)),
        headers=dict(headers or {}),
    )


def to_html(mjml: str) -> str:
    """Turn MJML into the HTML of a mail: tables, every style inline, nothing loaded from anywhere."""
    readable = NOT_IN_XML.sub("\ufffd", mjml)
    # mrml would load its default font, Ubuntu, from another host: no font is known to it.
    rendered = mrml.to_html(readable, render_options=mrml.RenderOptions(fonts={}))
    html = _inliner().inline(rendered.content.replace(TABLE_RULE, ""))
    size = len(html.encode())
    if size > LARGEST_HTML_BYTES:
        raise TooLongError(f"the HTML of a mail is {size} bytes, more than {LARGEST_HTML_BYTES}")
    return html


@cache
def _inliner() -> css_inline.CSSInliner:
    # The at-rules carry the dark colours and the columns of wide screens; they cannot be inline.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, minify_css=True)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("mjml",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(day=_day, day_long=_day_long, moment=_moment)
    return environment


def _render(template: str, values: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(values)


def _one_line(subject: str) -> str:
    _refuse_controls(subject)
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise ValueError(f"a subject has 1 to {LONGEST_SUBJECT} characters, not {len(subject)}")
    return subject


def _check_addressee(recipient: str, name: str) -> None:
    _refuse_controls(recipient)
    _refuse_controls(name)
    if not ADDRESS.fullmatch(recipient):
        raise ValueError(f"not an address to send to: {recipient!r}")


def _refuse_controls(text: str) -> None:
    """Refuse what could end a header line or hide in it."""
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise ValueError(f"a mail header may not hold U+{ord(character):04X}: {text[:60]!r}")


def _tidy(text: str) -> str:
    """Leave no blank at a line's end and never two empty lines in a row, so that templates may be spaced freely."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _local(moment: date) -> date:
    return moment.astimezone(LOCAL_ZONE) if isinstance(moment, datetime) else moment


def _day(value: date) -> str:
    return f"{_local(value):%Y-%m-%d}"


def _day_long(value: date) -> str:
    local = _local(value)
    return f"{local.year}年{local.month}月{local.day}日 周{WEEKDAYS[local.weekday()]}"


def _moment(value: datetime) -> str:
    return f"{_local(value):%Y-%m-%d %H:%M}"
