"""Service accounts: users that are no persons, and the OAuth clients programs get their access by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ServiceAccount(Base):
    """What a user of the kind SERVICE is for, and who answers for it.

    As a person such a user is never active: nothing is assigned to it, asked of it or mailed to it, and it has no
    password. `is_on` is what its tokens and clients live by.
    """

    __tablename__ = "service_accounts"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(300), server_default="")
    is_on: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (Index("ix_service_accounts_owner", "owner_id"),)


class OAuthClient(Base):
    """A program that trades a secret for short access tokens (RFC 6749, 4.4), with at most these permissions."""

    __tablename__ = "oauth_clients"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(60))
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str | None] = mapped_column(String(45))
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_oauth_clients_client_id", "client_id", unique=True),
        Index("ix_oauth_clients_user", "user_id"),
    )


class OAuthSecret(Base):
    """A client's secret, kept as a SHA-256; two may be in force, so that one takes over from the other."""

    __tablename__ = "oauth_secrets"

    id: Mapped[BigId]
    oauth_client_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("oauth_clients.id", ondelete="CASCADE"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    beginning: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_oauth_secrets_client", "oauth_client_id"),)


class RevokedToken(Base):
    """A client's access token that was revoked before it ended (RFC 7009): the SHA-256 of its `jti`, until it has ended."""

    __tablename__ = "revoked_tokens"

    jti_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    oauth_client_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("oauth_clients.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_revoked_tokens_client", "oauth_client_id"),
        Index("ix_revoked_tokens_expires", "expires_at"),
    )
