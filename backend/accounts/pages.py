"""The pages of accounts: what each template may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from backend.accounts.mailed_links import CONFIRMATION_HOURS, RESET_MINUTES
from backend.accounts.passwords import SHORTEST_PASSWORD
from backend.errors import FieldError
from backend.web.pages import Page

Errors = Sequence[tuple[str, str]]
Options = Sequence[tuple[str, str]]


def pairs(errors: Sequence[FieldError]) -> Errors:
    """Return the errors of a form as pages show them."""
    return [(error.field, error.message) for error in errors]


@dataclass(frozen=True)
class LoginPage(Page):
    """Signing in."""

    template: ClassVar[str] = "accounts/login.html"

    email: str = ""
    next: str = ""
    errors: Errors = ()
    error_title: str = ""


@dataclass(frozen=True)
class UnconfirmedPage(Page):
    """Signing in before the address is confirmed."""

    template: ClassVar[str] = "accounts/unconfirmed.html"

    email: str


@dataclass(frozen=True)
class SuspendedPage(Page):
    """Signing in with a suspended account."""

    template: ClassVar[str] = "accounts/suspended.html"

    reason: str
    suspended_at: datetime


@dataclass(frozen=True)
class RegisterPage(Page):
    """Becoming a member."""

    template: ClassVar[str] = "accounts/register.html"

    organisations: Sequence[str]
    kinds: Options
    regions: Options
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Errors = ()
    shortest_password: int = SHORTEST_PASSWORD


@dataclass(frozen=True)
class MailSentPage(Page):
    """What to do now that a mail is on its way; the same for every address."""

    template: ClassVar[str] = "accounts/mail_sent.html"

    is_reset: bool
    hours: int = CONFIRMATION_HOURS
    minutes: int = RESET_MINUTES


@dataclass(frozen=True)
class AskPage(Page):
    """Asking for a mail: to confirm the address again, or to set a new password."""

    template: ClassVar[str] = "accounts/ask.html"

    is_reset: bool
    email: str = ""
    errors: Errors = ()


@dataclass(frozen=True)
class ConfirmPage(Page):
    """What a confirmation link opens: a button, for opening a page changes nothing."""

    template: ClassVar[str] = "accounts/confirm.html"

    token: str
    problem: str


@dataclass(frozen=True)
class ResetPage(Page):
    """What a link for a new password opens."""

    template: ClassVar[str] = "accounts/reset.html"

    token: str
    problem: str
    errors: Errors = ()
    shortest_password: int = SHORTEST_PASSWORD


@dataclass(frozen=True)
class AccountPage(Page):
    """One's own account."""

    template: ClassVar[str] = "accounts/show.html"

    email: str
    role: str
    organisation: str
    organisation_is_verified: bool
    created_at: datetime
    consented_at: datetime | None
    consent_version: str
    display_name: str
    errors: Errors = ()


@dataclass(frozen=True)
class PasswordPage(Page):
    """Changing the password."""

    template: ClassVar[str] = "accounts/password.html"

    email: str
    errors: Errors = ()
    shortest_password: int = SHORTEST_PASSWORD


@dataclass(frozen=True)
class SessionRow:
    """One signed-in browser."""

    id: UUID
    device: str
    source: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@dataclass(frozen=True)
class SessionsPage(Page):
    """Where one is signed in."""

    template: ClassVar[str] = "accounts/sessions.html"

    sessions: Sequence[SessionRow]


@dataclass(frozen=True)
class TokenRow:
    """One bearer token, without its secret."""

    id: UUID
    name: str
    hint: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class TokensPage(Page):
    """One's bearer tokens; `secret` is there once, right after one was created."""

    template: ClassVar[str] = "accounts/tokens.html"

    tokens: Sequence[TokenRow]
    secret: str = ""
    name: str = ""
    errors: Errors = ()
