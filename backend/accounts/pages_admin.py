"""The pages of administrators and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from backend.accounts.pages import Errors
from backend.web.pages import Page


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    value: str
    label: str
    checked: bool = False


@dataclass(frozen=True)
class AccountListRow:
    """One account in the list."""

    id: UUID
    display_name: str
    email: str
    role: str
    organisation: str
    state: str
    created_at: datetime


@dataclass(frozen=True)
class AccountListPage(Page):
    """All accounts, searched and paged."""

    template: ClassVar[str] = "accounts/admin_list.html"

    rows: Sequence[AccountListRow]
    total: int
    current: int
    last: int
    base: str
    q: str
    roles: Sequence[Choice]
    states: Sequence[Choice]


@dataclass(frozen=True)
class TrailRow:
    """One entry of the trail in words."""

    at: datetime
    actor: str
    action: str
    subject: str
    result: str
    result_name: str
    source: str
    detail: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class AccountAdminPage(Page):
    """One account as an administrator sees it."""

    template: ClassVar[str] = "accounts/admin_show.html"

    id: UUID
    display_name: str
    email: str
    role: str
    organisation: str
    organisation_is_verified: bool
    state: str
    created_at: datetime
    confirmed_at: datetime | None
    suspended_at: datetime | None
    suspension_reason: str
    is_self: bool
    roles: Sequence[Choice]
    chosen_role: str
    entries: Sequence[TrailRow]
    reason: str = ""
    errors: Errors = ()


@dataclass(frozen=True)
class OrganisationRow:
    """One organisation in the list."""

    id: UUID
    name: str
    kind: str
    place: str
    accounts: int
    verified_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class OrganisationListPage(Page):
    """All organisations, searched and paged."""

    template: ClassVar[str] = "accounts/admin_organisations.html"

    rows: Sequence[OrganisationRow]
    total: int
    current: int
    last: int
    base: str
    q: str


@dataclass(frozen=True)
class TrailPage(Page):
    """The audit trail, filtered and paged."""

    template: ClassVar[str] = "accounts/trail.html"

    rows: Sequence[TrailRow]
    total: int
    current: int
    last: int
    base: str
    who: str
    action: str
    result: str
    since: str
    until: str
    actions: Sequence[tuple[str, str]]
    results: Sequence[tuple[str, str]]
    errors: Errors = ()
