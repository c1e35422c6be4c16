"""DKIM: our signature over the exact bytes that are sent."""

from dataclasses import dataclass
from pathlib import Path

import dkim

from backend.settings import Settings

# From is named twice, so that a second From cannot be added in front of the signed one (RFC 6376, section 8.15).
SIGNED_HEADERS = (
    "from", "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
)  # fmt: skip


@dataclass(frozen=True)
class Signer:
    """A domain's signature."""

    domain: str
    selector: str
    private_key: bytes

    def sign(self, rendered: bytes) -> bytes:
        """Return the mail with a DKIM-Signature before everything else; not a byte may change after this."""
        present = {line.split(b":", 1)[0].decode("ascii").lower() for line in _header_lines(rendered)}
        named = [name for name in SIGNED_HEADERS if name in present]
        signature: bytes = dkim.sign(
            rendered,
            self.selector.encode("ascii"),
            self.domain.encode("ascii"),
            self.private_key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode("ascii") for name in named],
        )
        return signature + rendered


def _header_lines(rendered: bytes) -> list[bytes]:
    head = rendered.split(b"\r\n\r\n", 1)[0]
    return [line for line in head.split(b"\r\n") if line[:1] not in b" \t"]


def build_signer(settings: Settings) -> Signer | None:
    """Return the signer that the settings ask for, or None when they ask for none.

    Raises: ValueError when only some of the three settings are there, or the key cannot be read.
    """
    named = (settings.dkim_domain, settings.dkim_selector, settings.dkim_private_key_file)
    if not any(named):
        return None
    if not all(named) or settings.dkim_private_key_file is None:
        raise ValueError("DKIM_DOMAIN, DKIM_SELECTOR and DKIM_PRIVATE_KEY_FILE belong together: set all three or none")
    return Signer(settings.dkim_domain, settings.dkim_selector, _read_key(settings.dkim_private_key_file))


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ValueError(f"DKIM_PRIVATE_KEY_FILE {str(path)!r} cannot be read: {error.strerror}") from error
    if b"PRIVATE KEY" not in key:
        raise ValueError(f"DKIM_PRIVATE_KEY_FILE {str(path)!r} holds no private key in PEM form")
    return key
