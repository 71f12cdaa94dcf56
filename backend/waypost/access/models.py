"""Passwords, sessions, refresh tokens, throttles, roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    func,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class Credential(Base):
    """A person's password, as an Argon2id hash. People who sign in otherwise have none.

    `is_short`: it is long enough beside a second factor only. `given_until`: somebody else chose it, and it works until
    then only; None for one's own.
    """

    __tablename__ = "credentials"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    is_short: Mapped[bool] = mapped_column(Boolean, server_default="false")
    given_until: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoginSession(Base):
    """One sign-in on one device: the family of its refresh tokens. Ended by logout, revocation, reuse or age.

    `proved_at` is when whoever uses it last showed to be its person: by signing in, or by a step-up since, and
    `proved_by` with what. Who came by an identity provider has its `provider_id`, what that calls their sign-in there
    (`provider_session`), when that ends (`provider_ends_at`), and, sealed, what it wants to see when they sign out
    (`provider_hint`). `is_vouched`: the provider says it asked for a second factor, and is trusted with that.

    `method` is how it began (`password+totp`), `last_seen_at` when its person last did something, as far as their browser
    told. What was issued before `renewed_at`, when they last confirmed that it is them, opens nothing.
    """

    __tablename__ = "login_sessions"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    proved_by: Mapped[str | None] = mapped_column(String(40))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(16))
    method: Mapped[str | None] = mapped_column(String(64))
    renewed_at: Mapped[datetime | None]
    ip_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    provider_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="SET NULL")
    )
    provider_session: Mapped[str | None] = mapped_column(String(1000))
    provider_hint: Mapped[bytes | None] = mapped_column(LargeBinary)
    provider_hint_sealed_with: Mapped[str | None] = mapped_column(String(16))
    provider_ends_at: Mapped[datetime | None]
    is_vouched: Mapped[bool] = mapped_column(Boolean, server_default="false")

    __table_args__ = (
        Index("ix_login_sessions_user", "user_id", "ended_at"),
        Index("ix_login_sessions_provider", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
    )


class RefreshToken(Base):
    """One link of a session's chain, kept as a SHA-256 only. `used_at` is set when its successor was issued."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("login_sessions.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_refresh_tokens_session", "session_id", "position"),)


class Throttle(Base):
    """Failed sign-ins of one account or one address. `level` counts the pauses in a row; each is twice as long."""

    __tablename__ = "login_throttles"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    level: Mapped[int] = mapped_column(SmallInteger)
    blocked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class OneTimeLink(Base):
    """A link that opens once, kept as a SHA-256 only: to set a `password`, or to say that a sign-in was `not_me`.

    `since` is when that sign-in began.
    """

    __tablename__ = "one_time_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16), server_default="password")
    since: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class KnownDevice(Base):
    """A browser somebody has signed in with before: it holds a random number, of which the SHA-256 is kept here.

    Who guesses a password elsewhere slows nobody down here, and a sign-in from anywhere else is told to its person.
    """

    __tablename__ = "known_devices"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_known_devices_token", "user_id", "token_hash", unique=True),
        Index("ix_known_devices_used", "used_at"),
    )


class TotpSecret(Base):
    """The secret a person's authenticator app shares with us (RFC 6238), sealed.

    In force once `confirmed_at` is set; one more may wait to be confirmed and take its place. `last_step` is the newest
    30-second step a code was taken for: no code counts twice.
    """

    __tablename__ = "totp_secrets"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_with: Mapped[str] = mapped_column(String(16))
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_totp_secrets_user", "user_id", text("(confirmed_at IS NULL)"), unique=True),)

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"totp:{self.user_id}".encode()


class Passkey(Base):
    """A key pair of one of a person's devices (WebAuthn): we keep its public half, and how often it was used.

    `handle` is what the device calls its person: random, so that it tells nobody anything.
    """

    __tablename__ = "passkeys"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    handle: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[str] = mapped_column(String(100), server_default="")
    is_synced: Mapped[bool] = mapped_column(Boolean, server_default="false")
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_passkeys_credential", text("md5(credential_id)"), unique=True),
        Index("ix_passkeys_user", "user_id"),
    )


class PasskeyChallenge(Base):
    """A number a device signs once, for one purpose; `user_id` null while nobody is known. Kept as a SHA-256.

    `statements` are what it is signed for (`signing.py`), where it is for something.
    """

    __tablename__ = "passkey_challenges"

    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    handle: Mapped[bytes | None] = mapped_column(LargeBinary)
    statements: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_passkey_challenges_user", "user_id"),
        Index("ix_passkey_challenges_expires", "expires_at"),
    )


class RecoveryCode(Base):
    """A code that opens once instead of a second factor; kept as a SHA-256 of its 140 random bits (80 of earlier ones)."""

    __tablename__ = "recovery_codes"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_recovery_codes_code", "user_id", "code_hash", unique=True),)


class SignInChallenge(Base):
    """A sign-in whose first factor (`method`) was right and whose second is asked for; its token is kept as a SHA-256.

    What a provider said of it goes on to the session (`LoginSession`).
    """

    __tablename__ = "sign_in_challenges"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    provider_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    provider_session: Mapped[str | None] = mapped_column(String(1000))
    provider_hint: Mapped[bytes | None] = mapped_column(LargeBinary)
    provider_hint_sealed_with: Mapped[str | None] = mapped_column(String(16))
    provider_ends_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_sign_in_challenges_provider", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        Index("ix_sign_in_challenges_user", "user_id"),
        Index("ix_sign_in_challenges_expires", "expires_at"),
    )


class FactorReset(Base):
    """That somebody's second factors be taken away because they have lost them: asked by one administrator, done by another."""

    __tablename__ = "factor_resets"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    asked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_factor_resets_open", "user_id", unique=True, postgresql_where=text("settled_at IS NULL")),
        Index("ix_factor_resets_user", "user_id"),
        Index("ix_factor_resets_asked_by", "asked_by_id"),
    )


class Role(Base):
    """A named set of permissions. With `needs_second_factor` its people cannot do anything before they have one.

    `is_privileged`: an administrator says that it takes two to give it to somebody, whatever it grants. Sign-ins of its
    people last no longer than its own times say, where it has any.
    """

    __tablename__ = "roles"

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(500), server_default="")
    is_system: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_privileged: Mapped[bool] = mapped_column(Boolean, server_default="false")
    needs_second_factor: Mapped[bool] = mapped_column(Boolean, server_default="false")
    session_idle_minutes: Mapped[int | None] = mapped_column(Integer)
    session_absolute_minutes: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class RolePermission(Base):
    """One permission a role grants, and how far it reaches (`Scope`)."""

    __tablename__ = "role_permissions"

    role_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(64), primary_key=True)
    scope: Mapped[int] = mapped_column(SmallInteger)


class UserRole(Base):
    """A role a person has: for good, or until `expires_at`. What has ended counts nowhere, whether any job ran or not.

    With a `provider_id` an identity provider's groups gave it, and take it away again. Whoever reads this table says
    `held()`, or `HELD` in a statement of words (a test looks).
    """

    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    granted_at: Mapped[datetime | None]
    granted_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    expires_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_user_roles_role", "role_id", "user_id"),
        Index("ix_user_roles_provider", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        Index("ix_user_roles_expires", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        Index("ix_user_roles_granted_by", "granted_by_id", postgresql_where=text("granted_by_id IS NOT NULL")),
    )


# The same as `held()`, for statements of words in which the table is called `ur`.
HELD = "(ur.expires_at IS NULL OR ur.expires_at > statement_timestamp())"


def held() -> ColumnElement[bool]:
    """Whether a role is somebody's at this moment, as SQL over `UserRole`."""
    return or_(UserRole.expires_at.is_(None), UserRole.expires_at > func.statement_timestamp())


class RoleRules(Base):
    """How roles are changed here (one row): with `needs_two` another administrator confirms what gives power.

    `known` are the permissions earlier releases had: what is new is given to the roles that have it from the start.
    """

    __tablename__ = "role_rules"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1", autoincrement=False)
    needs_two: Mapped[bool] = mapped_column(Boolean, server_default="false")
    known: Mapped[list[str]] = mapped_column(ARRAY(String(64)), server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class RoleChange(Base):
    """What one administrator asked for and another has to confirm: a role's permissions, its end, a grant, the rule itself.

    `wanted` is what is asked, `before` what was in force then; `role_version` the role's version it was asked upon.
    """

    __tablename__ = "role_changes"

    id: Mapped[BigId]
    kind: Mapped[str] = mapped_column(String(16))
    role_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    role_version: Mapped[int | None] = mapped_column(Integer)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(String(500))
    asked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    outcome: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (
        Index(
            "uq_role_changes_open",
            "kind",
            text("coalesce(role_id, 0)"),
            text("coalesce(user_id, 0)"),
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_role_changes_role", "role_id"),
        Index("ix_role_changes_user", "user_id"),
        Index("ix_role_changes_asked_by", "asked_by_id"),
        Index("ix_role_changes_settled_by", "settled_by_id"),
    )
