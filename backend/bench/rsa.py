"""A key pair for one bench, and a verification that owes nothing to the library that signs (RFC 8017, section 8.2)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass

EXPONENT = 65537
ROUNDS = 40
SMALL_PRIMES = tuple(number for number in range(3, 2000, 2) if all(number % other for other in range(3, number, 2)))
# DigestInfo of SHA-256, RFC 8017, section 9.2, note 1.
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
INTEGER, SEQUENCE = 0x02, 0x30


@dataclass(frozen=True)
class KeyPair:
    """Two primes, and what follows from them."""

    first: int
    second: int

    @property
    def modulus(self) -> int:
        """Return the public modulus."""
        return self.first * self.second

    def private_pem(self) -> bytes:
        """Return the private key in PEM (PKCS #1, RFC 8017, appendix A.1.2)."""
        private = pow(EXPONENT, -1, (self.first - 1) * (self.second - 1))
        numbers = (
            0, self.modulus, EXPONENT, private, self.first, self.second,
            private % (self.first - 1), private % (self.second - 1), pow(self.second, -1, self.first),
        )  # fmt: skip
        der = _der(SEQUENCE, b"".join(_der(INTEGER, _octets(number)) for number in numbers))
        lines = base64.encodebytes(der).replace(b"\n", b"").decode("ascii")
        body = "\n".join(lines[start : start + 64] for start in range(0, len(lines), 64))
        return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n".encode()

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Tell whether a PKCS #1 v1.5 signature with SHA-256 fits these octets."""
        length = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != length or number >= self.modulus:
            return False
        told = SHA256_PREFIX + hashlib.sha256(signed).digest()
        padding = b"\x00\x01" + b"\xff" * (length - len(told) - 3) + b"\x00"
        return pow(number, EXPONENT, self.modulus).to_bytes(length, "big") == padding + told


def make_key(bits: int = 2048) -> KeyPair:
    """Make a key pair with a modulus of so many bits."""
    return KeyPair(_prime(bits // 2), _prime(bits // 2))


def _prime(bits: int) -> int:
    while True:
        # The two highest bits are set, so that the product of two has all its bits.
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if number % EXPONENT != 1 and all(number % small for small in SMALL_PRIMES) and _is_probably_prime(number):
            return number


def _is_probably_prime(number: int) -> bool:
    """Tell by Miller and Rabin; a composite passes with a chance below 4 ** -ROUNDS."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(ROUNDS):
        value = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if value in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


def _octets(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - the short form of X.690, section 8.1.3.4
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
