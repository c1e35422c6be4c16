"""Organisations, accounts, sessions, tokens, throttling and the audit trail."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import Column, Field, SQLModel

from backend.database import EnumText, UtcTime


class Role(StrEnum):
    """What an account may do; exactly one, so that duties stay apart."""

    MEMBER = "member"
    MANAGER = "manager"
    MODERATOR = "moderator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return ROLE_LABELS[self]

    @property
    def reads_digest(self) -> bool:
        """Tell whether the weekly digest is written for people of this role."""
        return self in {Role.MANAGER, Role.MEMBER}


ROLE_LABELS = {
    Role.MEMBER: "会员",
    Role.MANAGER: "技术经理人",
    Role.MODERATOR: "审核员",
    Role.ADMINISTRATOR: "管理员",
    Role.AUDITOR: "审计员",
}


class OrganisationKind(StrEnum):
    """What sort of body an organisation is."""

    UNIVERSITY = "university"
    INSTITUTE = "institute"
    HOSPITAL = "hospital"
    COMPANY = "company"
    PARK = "park"
    SERVICE = "service"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return ORGANISATION_LABELS[self]


ORGANISATION_LABELS = {
    OrganisationKind.UNIVERSITY: "高等学校",
    OrganisationKind.INSTITUTE: "科研机构",
    OrganisationKind.HOSPITAL: "医疗机构",
    OrganisationKind.COMPANY: "企业",
    OrganisationKind.PARK: "园区",
    OrganisationKind.SERVICE: "服务机构",
}


class TokenPurpose(StrEnum):
    """What a mailed link may do, once."""

    CONFIRM_ADDRESS = "confirm_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


class Organisation(SQLModel, table=True):
    """A body that posts listings or employs managers."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(max_length=120, unique=True)
    kind: OrganisationKind = Field(sa_column=Column(EnumText(OrganisationKind, 20), nullable=False))
    region_code: str = Field(max_length=6, index=True)
    verified_at: datetime | None = Field(default=None, sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)


class Account(SQLModel, table=True):
    """A person who can sign in. `email` is as typed; `email_key` is what makes it unique."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254, unique=True)
    password_hash: str = Field(max_length=255)
    display_name: str = Field(max_length=60)
    role: Role = Field(sa_column=Column(EnumText(Role, 20), nullable=False, index=True))
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    created_at: datetime = Field(sa_type=UtcTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    suspended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    suspension_reason: str = Field(default="", max_length=400)
    consented_at: datetime | None = Field(default=None, sa_type=UtcTime)
    consent_version: str = Field(default="", max_length=20)

    @property
    def is_active(self) -> bool:
        """Tell whether this account may act: confirmed and not suspended."""
        return self.confirmed_at is not None and self.suspended_at is None


class LoginSession(SQLModel, table=True):
    """One signed-in browser; the cookie holds the token, the table only its hash."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime = Field(sa_type=UtcTime)
    last_seen_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime, index=True)
    source: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=200)


class MailedToken(SQLModel, table=True):
    """A single-use link sent by mail, kept as a hash."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    purpose: TokenPurpose = Field(sa_column=Column(EnumText(TokenPurpose, 20), nullable=False))
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ApiToken(SQLModel, table=True):
    """A bearer token of the REST API, shown once and kept as a hash."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    name: str = Field(max_length=60)
    hint: str = Field(max_length=8)
    created_at: datetime = Field(sa_type=UtcTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcTime)


class FailedAttempt(SQLModel, table=True):
    """One try that counts against a limit; `key` is a digest of what was tried and from where (see `throttle.py`)."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=80, index=True)
    failed_at: datetime = Field(sa_type=UtcTime, index=True)


class TrailEntry(SQLModel, table=True):
    """Who did what to which thing, when, from where and with what result. Never changed, never deleted."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    actor_id: UUID | None = Field(default=None, index=True)
    actor_name: str = Field(default="", max_length=60)
    action: str = Field(max_length=60, index=True)
    subject: str = Field(default="", max_length=120)
    result: str = Field(default="ok", max_length=20)
    source: str = Field(default="", max_length=64)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(sa.JSON, nullable=False))
