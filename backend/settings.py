"""Every setting, typed, with its unit. Built once by `main.py` or `commands`, then handed down."""

import secrets
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED_RANKER = PROJECT / "models" / "weights" / "ranker"
PLACEHOLDERS = frozenset({"", "secret", "changeme", "change-me", "placeholder", "default", "password", "dev"})
SHORTEST_SECRET = 32


class Environment(StrEnum):
    """Where the platform runs; production refuses what development tolerates."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class MailerKind(StrEnum):
    """What happens to a mail that leaves the outbox."""

    CONSOLE = "console"
    FOLDER = "folder"
    SMTP = "smtp"


class SmtpSecurity(StrEnum):
    """How the connection to the relay is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Settings(BaseSettings):
    """All settings, read from the environment and from a `.env` file in the working folder."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    environment: Environment = Environment.DEVELOPMENT
    data_dir: Path = PROJECT / "var"
    database_url: str = ""
    database_busy_seconds: float = Field(default=15, gt=0, description="how long a writer waits for another, on SQLite")
    secret_key: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: str = "INFO"

    encoder: str = "static"
    ranker: Path = Field(
        default=SHIPPED_RANKER,
        description="folder of the ranker; one that learned from feedback is written by `jiqiao evaluate refit`",
    )
    cross_encoder: str = Field(
        default="", description="name or path of a CrossEncoder that orders the best matches anew; empty: none"
    )

    mailer: MailerKind = MailerKind.FOLDER
    mail_from: str = "技桥 <notice@jiqiao.example.com>"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: SmtpSecurity = SmtpSecurity.NONE
    smtp_timeout_seconds: float = Field(default=30, gt=0)
    mail_spacing_seconds: float = Field(default=0, ge=0, description="least pause between two mails to one relay")
    mail_daily_quota: int = Field(default=0, ge=0, description="most mails to the relay in a day; 0: no limit")
    mail_first_day_quota: int = Field(
        default=0, ge=0, description="quota of a new relay's first day, doubled every day; 0: no warm-up"
    )
    bounce_address: str = Field(default="", description="mailbox that bounces come back to; empty: mail_from")
    bounce_imap_host: str = ""
    bounce_imap_port: int = Field(default=993, ge=1, le=65535)
    bounce_imap_username: str = ""
    bounce_imap_password: SecretStr = SecretStr("")
    bounce_imap_tls: bool = True
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_private_key_file: Path | None = None

    digest_cron: str = "30 8 * * 1"
    digest_is_commercial: bool = Field(default=False, description="put 广告 before the subject of digests")
    session_idle_minutes: int = Field(default=120, ge=5)
    session_absolute_hours: int = Field(default=12, ge=1)
    listing_days: int = Field(default=180, ge=1, description="how long a listing stays published")
    upload_limit_bytes: int = Field(default=20_000_000, ge=1)
    trusted_proxy: bool = Field(default=False, description="believe X-Forwarded-For and -Proto of the proxy in front")

    operator_name: str = "（请在设置中填写主办单位）"
    operator_contact: str = "（请在设置中填写联系方式）"
    icp_number: str = ""
    police_number: str = ""
    site_code: str = ""

    @field_validator("ranker", mode="before")
    @classmethod
    def _ranker_or_shipped(cls, value: object) -> object:
        return value or SHIPPED_RANKER

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.data_dir = self.data_dir.resolve()
        if not self.database_url:
            self.database_url = f"sqlite:///{self.data_dir / 'jiqiao.sqlite3'}"
        elif self.database_url.startswith(("postgres://", "postgresql://")):
            self.database_url = "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        self.base_url = self.base_url.rstrip("/")
        if self.environment is Environment.PRODUCTION:
            self._refuse_unsafe()
        return self

    def _refuse_unsafe(self) -> None:
        secret = self.secret_key.get_secret_value()
        if secret.lower() in PLACEHOLDERS or len(secret) < SHORTEST_SECRET:
            raise ValueError(
                f"SECRET_KEY must be set to at least {SHORTEST_SECRET} random characters in production; "
                "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        if not self.base_url.startswith("https://"):
            raise ValueError(f"BASE_URL must start with https:// in production, not {self.base_url!r}")
        if self.mailer is not MailerKind.SMTP:
            raise ValueError("MAILER must be smtp in production; console and folder keep mail on this machine")

    @property
    def is_production(self) -> bool:
        """Tell whether this is the real thing."""
        return self.environment is Environment.PRODUCTION

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    @property
    def index_dir(self) -> Path:
        """Return the folder of index snapshots."""
        return self.data_dir / "index"

    @property
    def mail_dir(self) -> Path:
        """Return the folder that the folder mailer writes to."""
        return self.data_dir / "mail"

    @cached_property
    def signing_key(self) -> str:
        """Return the secret that signs tokens; in development one is made and kept in the data folder."""
        configured = self.secret_key.get_secret_value()
        if configured:
            return configured
        kept = self.data_dir / "secret"
        if not kept.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(48))
        return kept.read_text()
