"""Everything that can be configured from outside, in one table.

Variables carry no prefix, as the contract names them (`HOST`, `PORT`, `DATA_DIR`, …). The table in
`docs/operators/configuration.md` is generated from the descriptions here, so a setting is documented where it is defined.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import ssl
import zoneinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from waypost.kernel import tls
from waypost.kernel.secret_files import SecretFiles


class Settings(BaseSettings):
    """The process's configuration, read once from the environment at start.

    Raises `pydantic.ValidationError` naming the variable when a value cannot be used.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    data_dir: Path = Field(Path("var"), description="Folder for everything Waypost keeps on disk.")
    public_url: str | None = Field(
        None, description="Address people type, used in mails and cookies; default `http://HOST:PORT`."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 15+ (`postgresql://user:password@host/db`); unset starts the embedded server."
    )
    database_owner_url: SecretStr | None = Field(
        None,
        description="The same database as the owner of its tables, for migrations and maintenance; `DATABASE_URL` may then "
        "be a role that cannot change the audit trail. Unset, `DATABASE_URL` does everything.",
    )
    audit_anchor_file: Path | None = Field(
        None,
        description="File that signed checkpoints of the audit trail are appended to, best on another machine's disk; "
        "default `DATA_DIR/audit/checkpoints.jsonl`.",
    )
    redis_url: SecretStr | None = Field(
        None, description="Valkey or Redis 7+ (`redis://…`); unset starts the embedded server."
    )
    database_ca_file: Path | None = Field(
        None, description="CA certificate of the PostgreSQL server: the connection is TLS, and its name is checked."
    )
    redis_ca_file: Path | None = Field(
        None, description="CA certificate of the Valkey or Redis server, for `rediss://`; default the system's."
    )
    database_pool_size: int = Field(
        10, ge=1, le=200, description="Connections each of a process's two pools keeps at most."
    )
    demo: bool = Field(
        True,
        description="Load the demo company on first start; `0` starts empty. With an address that others reach it has to "
        "be said: `1` or `0`.",
    )
    require_tls: bool = Field(
        False, description="Refuse to start while anything is spoken without TLS to another machine, or by people."
    )
    secret_key: SecretStr | None = Field(
        None, min_length=32, description="Signs and derives tokens; unset creates `DATA_DIR/secrets/secret_key`."
    )
    workers: int | None = Field(None, ge=1, le=64, description="Web server processes; default one per core.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="`json` for machines, `text` for people.")
    access_token_minutes: int = Field(10, ge=1, le=15, description="Life of an access token, in minutes.")
    session_idle_hours: int = Field(12, ge=1, le=168, description="A session unused for so many hours ends.")
    session_absolute_days: int = Field(30, ge=1, le=90, description="A session ends after so many days in any case.")
    login_attempts: int = Field(10, ge=3, le=100, description="Wrong passwords per account before a pause.")
    login_attempts_per_address: int = Field(
        200, ge=10, description="Wrong passwords per network address before a pause."
    )
    login_pause_minutes: int = Field(
        10, ge=1, le=1440, description="Length of the first pause; it doubles up to a day."
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Networks (CIDR, JSON list) of your proxies: what they say of a caller is believed.",
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for",
        description="The header in which they say it: the usual one, or RFC 7239's. The other is ignored.",
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate chain (PEM) to serve TLS directly; with `TLS_KEY`. Not needed behind a proxy."
    )
    tls_key: Path | None = Field(None, description="Its private key (PEM, PKCS#8).")
    person_requests_per_minute: int = Field(
        0,
        ge=0,
        description="Requests one person (or service account) may make in a minute; `0` is 1200, with the demo company "
        "60000, so that it can be measured.",
    )
    address_requests_per_minute: int = Field(
        0,
        ge=0,
        description="Requests without a sign-in that one network address may make in a minute; `0` is 3000, with the demo "
        "company 60000.",
    )
    costly_requests_per_minute: int = Field(
        0,
        ge=0,
        description="Of one person's, those that cost much (uploads, imports, changes of many, tests of channels, reports "
        "people make); `0` is 120, with the demo company 6000.",
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, description="Largest JSON body, in bytes.")
    attachment_max_bytes: int = Field(25 * 1024 * 1024, ge=1024, description="Largest attachment, in bytes.")
    s3_bucket: str | None = Field(
        None, description="Bucket for attachments; unset keeps them in `DATA_DIR/attachments`. Either way encrypted."
    )
    s3_endpoint: str | None = Field(None, description="Address of the S3 service, when it is not Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key: str | None = Field(None, description="Access key id for the bucket.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key for the bucket.")
    clamd_url: str | None = Field(
        None,
        pattern=r"^((tcp|tls)://[^/]+:\d+|unix:///.+)$",
        description="Virus scanner (`unix:///path`, `tls://host:3311` or `tcp://host:3310`); while set, a file opens for "
        "others once clean.",
    )
    clamd_ca_file: Path | None = Field(
        None, description="CA certificate of what speaks TLS before the scanner, for `tls://`; default the system's."
    )
    currency: str = Field(
        "USD", pattern=r"^[A-Z]{3}$", description="The company's currency, in which limits are written."
    )
    company_zone: str = Field(
        "UTC", description="The company's time zone (IANA): that of the working hours an installation begins with."
    )
    exchange_rates: dict[str, Decimal] = Field(
        default_factory=dict,
        description='What one unit of other currencies is worth in it, as JSON: `{"EUR": "1.08"}`. An amount in a '
        "currency without a rate is judged like the largest of all.",
    )
    decision_links: Literal["open", "signed_in", "off"] = Field(
        "open",
        description="Links in mails that open one decision: `open` takes routine ones from whoever has the link, "
        "`signed_in` from the person signed in only, `off` sends none.",
    )
    decision_link_hours: int = Field(72, ge=1, le=720, description="Hours after which such a link decides nothing.")
    step_up_above: Decimal | None = Field(
        None,
        ge=0,
        description="Approving what is worth more, in the company's currency, asks for a confirmation that it is the "
        "person signed in (their password); unset never.",
    )
    step_up_emergencies: bool = Field(False, description="Approving an emergency asks for that confirmation too.")
    reopen_days: int = Field(14, ge=0, le=365, description="Days after completion in which a ticket may be re-opened.")
    comment_edit_minutes: int = Field(
        15, ge=0, le=1440, description="Minutes in which an author may change or remove a comment; `0` never."
    )
    review_days: int = Field(
        3, ge=1, le=90, description="Days in which an emergency that was approved by breaking the glass is reviewed."
    )
    smtp_host: str | None = Field(None, description="Mail server; unset starts the local mail catcher.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_username: str | None = Field(None, description="Account at the mail server.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls` and `tls` refuse to send unencrypted; `none` is for loopback only."
    )
    smtp_ca_file: Path | None = Field(None, description="CA certificate of the mail server; default the system's.")
    imap_ca_file: Path | None = Field(
        None, description="CA certificate of the servers that mailboxes are read from; default the system's."
    )
    mail_in_max_bytes: int = Field(
        48 * 1024 * 1024,
        ge=1024 * 1024,
        description="Largest mail that is taken in, in bytes; of a larger one only its headers are kept, for a look.",
    )
    mail_from: str = Field("Waypost <waypost@example.com>", description="Sender of every mail.")
    notify_gather_seconds: int = Field(
        60,
        ge=0,
        le=300,
        description="Updates of one request within so many seconds of each other are one message, at the latest five "
        "minutes after the first; `0` sends each at once. Requests to decide never wait.",
    )
    outgoing_allow: list[str] = Field(
        default_factory=list,
        description="Networks inside this house (CIDR, JSON list) that may be called at addresses somebody typed in, "
        "such as webhooks; also without TLS.",
    )
    push_services: list[str] = Field(
        [
            "fcm.googleapis.com",
            "updates.push.services.mozilla.com",
            "*.push.services.mozilla.com",
            "*.notify.windows.com",
            "*.push.apple.com",
        ],
        description="Hosts (JSON list, `*.` for all below) of the services by which browsers may be told; `[]` switches "
        "messages in the browser off.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Where Slack's Web API is called.")
    slack_hooks_url: str = Field(
        "https://hooks.slack.com/", description="Beginning of the addresses at which answers to a press of a button go."
    )
    microsoft_login_url: str = Field(
        "https://login.microsoftonline.com", description="Where Waypost signs in to Microsoft."
    )
    graph_url: str = Field("https://graph.microsoft.com/v1.0", description="Where Microsoft Graph is called.")
    teams_bot_url: str = Field(
        "https://smba.trafficmanager.net/teams", description="Where the bot's messages for Teams go."
    )
    teams_openid_url: str = Field(
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="Where the keys are published with which the Bot Connector signs.",
    )
    teams_service_hosts: list[str] = Field(
        default_factory=list,
        description="Hosts (JSON list) besides that of `TEAMS_BOT_URL` from which the bot's activities may come, as in a "
        "national cloud.",
    )
    twilio_url: str = Field("https://api.twilio.com", description="Where Twilio is called.")
    mail_catcher_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the mail catcher's page; default a free one."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """From the environment, and secrets also from files it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("trusted_proxies", "outgoing_allow")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for one in value:
            ipaddress.ip_network(one)
        return value

    @field_validator("company_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError("must be a time zone such as Europe/Berlin")
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> Settings:
        if (self.tls_certificate is None) is not (self.tls_key is None):
            raise ValueError("TLS_CERTIFICATE and TLS_KEY belong together")
        return self

    @field_validator("public_url")
    @classmethod
    def _bare_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port people reach this installation at, without a trailing slash."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  # nosec B104
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def scheme(self) -> str:
        """How the web server itself is spoken to."""
        return "https" if self.tls_certificate else "http"

    def quota(self, name: Literal["person", "address", "costly"]) -> int:
        """Requests in a minute that a limit allows, by its name."""
        chosen: int = getattr(self, f"{name}_requests_per_minute")
        usual, measured = {"person": (1200, 60_000), "address": (3000, 60_000), "costly": (120, 6000)}[name]
        return chosen or (measured if self.demo else usual)

    @property
    def is_https(self) -> bool:
        """Whether people reach us over TLS, which makes cookies `Secure` and adds HSTS."""
        return self.origin.startswith("https://")

    @property
    def mail_domain(self) -> str:
        """What stands behind the @ of our address: part of every Message-ID."""
        return self.mail_from.rpartition("@")[2].rstrip("> ") or "waypost"

    def sqlalchemy_url(self) -> str:
        """`DATABASE_URL` for the async driver. Raises `RuntimeError` when it is unset."""
        if self.database_url is None:
            raise RuntimeError("DATABASE_URL is not set; start with `make run`, which brings its own PostgreSQL")
        return _for_driver("DATABASE_URL", self.database_url)

    def owner_url(self) -> str:
        """The same as the owner of the tables: `DATABASE_OWNER_URL`, or what everything else uses."""
        if self.database_owner_url is None:
            return self.sqlalchemy_url()
        return _for_driver("DATABASE_OWNER_URL", self.database_owner_url)

    def database_tls(self) -> ssl.SSLContext | None:
        """With `DATABASE_CA_FILE`: TLS 1.2 or newer to PostgreSQL, its certificate and name checked. Else None."""
        return tls.context(self.database_ca_file) if self.database_ca_file else None

    def signing_secret(self) -> bytes:
        """The installation's secret: `SECRET_KEY`, or a random one kept in `DATA_DIR/secrets` (mode 0600)."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _kept_secret(self.data_dir / "secrets" / "secret_key")


def _for_driver(name: str, url: SecretStr) -> str:
    scheme, _, rest = url.get_secret_value().partition("://")
    if not scheme.startswith("postgres"):
        raise RuntimeError(f"{name} must be a postgresql:// address")
    # psql's word for it; the driver's is `ssl`, with the same values
    return "postgresql+asyncpg://" + re.sub("([?&])sslmode=", r"\1ssl=", rest)


@lru_cache
def _kept_secret(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written beside and linked into place: of several processes starting at once, one wins and all read the same.
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip().encode()


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read on first use."""
    return Settings()
