"""Mail addresses: what is accepted, and what makes two of them the same."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST_ADDRESS = 254


def normal_address(text: str) -> str:
    """Return a mail address in the form it is kept in; full-width signs of an input method become plain ones.

    Raises: ValueError, with a Chinese sentence that says what to write.
    """
    folded = unicodedata.normalize("NFKC", text).strip()
    try:
        return validate_email(folded, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise ValueError("邮箱写法不对。请写成 name@example.com 这样的地址。") from None


def address_key(address: str) -> str:
    """Return what is equal for two spellings of one address: lower case, and the domain as mail servers write it."""
    folded = unicodedata.normalize("NFKC", address).strip().lower()
    try:
        found = validate_email(folded, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return folded[:LONGEST_ADDRESS]
    return (found.ascii_email or folded).lower()


def masked_address(address: str) -> str:
    """Return an address as the trail may keep it: the first letter and the domain."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}***{at}{domain}" if at else "***"
