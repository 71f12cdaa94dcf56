"""Passwords, sessions, refresh tokens, throttles, roles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class Credential(Base):
    """A person's password, as an Argon2id hash. People who sign in otherwise have none."""

    __tablename__ = "credentials"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoginSession(Base):
    """One sign-in on one device: the family of its refresh tokens. Ended by logout, revocation, reuse or age.

    `proved_at` is when whoever uses it last showed to be its person: by signing in, or by a step-up since.
    """

    __tablename__ = "login_sessions"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(16))
    ip_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))

    __table_args__ = (Index("ix_login_sessions_user", "user_id", "ended_at"),)


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
    """A link to set the first password, single use; kept as a SHA-256 only."""

    __tablename__ = "one_time_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Role(Base):
    """A named set of permissions."""

    __tablename__ = "roles"

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    is_system: Mapped[bool] = mapped_column(Boolean, server_default="false")


class RolePermission(Base):
    """One permission a role grants, and how far it reaches (`Scope`)."""

    __tablename__ = "role_permissions"

    role_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(64), primary_key=True)
    scope: Mapped[int] = mapped_column(SmallInteger)


class UserRole(Base):
    """A role a person has."""

    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_user_roles_role", "role_id"),)
