"""Expected failures, each with a status and a sentence fit to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class AppError(Exception):
    """An expected failure. `what` is shown: a Chinese sentence that names the thing and the remedy."""

    status: ClassVar[int] = 400

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class NotFound(AppError):
    """The thing does not exist, or not for this person."""

    status = 404


class Forbidden(AppError):
    """The person may not do this."""

    status = 403


class SignInNeeded(AppError):
    """Only a signed-in person may do this; pages send them to the login form and back."""

    status = 401


class Conflict(AppError):
    """The thing is no longer in the state this change expects."""

    status = 409


class TooLarge(AppError):
    """More was sent than is accepted."""

    status = 413


class TooMany(AppError):
    """Tried too often; `retry_after_seconds` says when again."""

    status = 429

    def __init__(self, what: str, *, retry_after_seconds: int, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(AppError):
    """A part the platform needs is down for the moment."""

    status = 503


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field of a form or of an API body."""

    field: str
    message: str


class Invalid(AppError):
    """What was submitted cannot be accepted; each error names its field."""

    status = 422

    def __init__(self, errors: Sequence[FieldError], *, values: Mapping[str, Any] | None = None) -> None:
        super().__init__("；".join(error.message for error in errors) or "提交的内容有误。")
        self.errors = tuple(errors)
        self.values = dict(values or {})
