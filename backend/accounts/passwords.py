"""Passwords: which are accepted, how they are kept, and how much memory keeping them may take."""

import secrets
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
# ASVS 5.0 appendix C asks for argon2id with at least 46 MiB and one pass; a second pass costs 40 ms here.
MEMORY_KIB = 46 * 1024
PASSES = 2
# Four hashes at once take 184 MiB; further logins wait for one of the four to end, so that fifty stay below 1 GB.
HASHES_AT_ONCE = 4
RANDOM_PASSWORD_BYTES = 12


@dataclass(frozen=True)
class PasswordCheck:
    """Whether a password was right, and the hash to keep from now on where the old one has become too weak."""

    is_right: bool
    better_hash: str | None = None


class Passwords:
    """Hash and check passwords with argon2id, a few at a time. Tests hand in less memory."""

    def __init__(
        self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, hashes_at_once: int = HASHES_AT_ONCE
    ) -> None:
        self._scheme = PasswordHash((Argon2Hasher(time_cost=passes, memory_cost=memory_kib, parallelism=1),))
        self._slots = threading.BoundedSemaphore(hashes_at_once)
        self._decoy = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its parameters and a salt of its own."""
        with self._slots:
            return self._scheme.hash(_as_bytes(password))

    def check(self, password: str, known_hash: str | None) -> PasswordCheck:
        """Check a password; without a hash to check against, take just as long and say no."""
        with self._slots:
            try:
                is_right, better = self._scheme.verify_and_update(_as_bytes(password), known_hash or self._decoy)
            except UnknownHashError:
                return PasswordCheck(is_right=False)
        return PasswordCheck(is_right, better) if known_hash else PasswordCheck(is_right=False)


@lru_cache(maxsize=1)
def shared_passwords() -> Passwords:
    """Return the one hasher of this process, so that its limit holds for all requests together."""
    return Passwords()


def random_password() -> str:
    """Return a password that is shown once: 96 random bits as 16 characters."""
    return secrets.token_urlsafe(RANDOM_PASSWORD_BYTES)


def find_weakness(password: str, *, address: str) -> str:
    """Return the Chinese sentence that says why a password is refused, or nothing. There are no rules of classes."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(password) < SHORTEST_PASSWORD:
        return f"密码太短：现有 {len(password)} 个字符。请改成至少 {SHORTEST_PASSWORD} 个字符，可以是一句话。"
    if len(password) > LONGEST_PASSWORD:
        return f"密码太长：现有 {len(password)} 个字符。请缩短到 {LONGEST_PASSWORD} 个字符以内。"
    if address and folded in {address.casefold(), address.casefold().partition("@")[0]}:
        return "密码和邮箱一样，别人容易猜到。请换一个。"
    if folded in _common_passwords() or folded.strip(folded[0]) == "":
        return "这个密码太常见，别人容易猜到。请换一个，例如只有您自己想得到的一句话。"
    return ""


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    text = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _as_bytes(password: str) -> bytes:
    # One spelling for what looks the same, and no way for a broken character to become an error.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
