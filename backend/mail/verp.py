"""The address a mail comes back to: one for each mail, with a seal, so that a forged notice counts for nothing."""

import base64
import hashlib
import hmac
import re
from uuid import UUID

from backend.mail.wire import sender_address
from backend.settings import Settings

# bounce+<mail, 26 letters>-<seal, 16 letters>@host; lower case, for some servers fold it. 49 octets of at most 64.
SEALED = re.compile(r"[^\s<>@+]+\+([a-z2-7]{26})-([a-z2-7]{16})@[^\s<>@]+", re.IGNORECASE)
SEAL_BYTES = 10


def return_address(outbox_id: UUID, settings: Settings) -> str:
    """Return where a mail comes back to; without a bounce address of its own, to where it is sent from."""
    local, at, host = settings.bounce_address.rpartition("@")
    if not at:
        return sender_address(settings.mail_from)
    return f"{local}+{_letters(outbox_id.bytes)}-{_seal(outbox_id, settings)}@{host}"


def read_return_address(address: str, settings: Settings) -> UUID | None:
    """Return which mail came back to an address; None when we never made that address."""
    found = SEALED.search(address)
    if found is None:
        return None
    try:
        outbox_id = UUID(bytes=base64.b32decode(found[1].upper() + "======"))
    except ValueError:
        return None
    return outbox_id if hmac.compare_digest(found[2].lower(), _seal(outbox_id, settings)) else None


def _seal(outbox_id: UUID, settings: Settings) -> str:
    key = hashlib.sha256(b"jiqiao bounce address:" + settings.signing_key.encode()).digest()
    return _letters(hmac.new(key, outbox_id.bytes, hashlib.sha256).digest()[:SEAL_BYTES])


def _letters(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii").rstrip("=").lower()
