"""Identity providers, whom they know, what their groups may, and sign-ins that are under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

NONE = "NONE"
VERIFIED_EMAIL = "VERIFIED_EMAIL"


class IdentityProvider(Base):
    """A house whose word on who somebody is we take. Its secrets are sealed; `key` stands in addresses and stays.

    `creates_people`: whoever it knows and we don't gets an account. `links_by`: by what an account that is here already
    may become theirs. `updates_people`: names and addresses follow it. `trusts_second_factor`: when it says it asked for
    one, we don't.
    """

    __tablename__ = "identity_providers"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    is_on: Mapped[bool] = mapped_column(Boolean, server_default="false")
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_with: Mapped[str | None] = mapped_column(String(16))
    creates_people: Mapped[bool] = mapped_column(Boolean, server_default="false")
    links_by: Mapped[str] = mapped_column(String(16), server_default=NONE)
    updates_people: Mapped[bool] = mapped_column(Boolean, server_default="false")
    trusts_second_factor: Mapped[bool] = mapped_column(Boolean, server_default="false")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    last_error: Mapped[str | None] = mapped_column(Text)
    failed_at: Mapped[datetime | None]
    worked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"provider:{self.id}".encode()


class Identity(Base):
    """Whom a provider means by a `subject`: the one name it never gives to anybody else.

    `said` is what it said of them last, of that which can be emptied or renamed; None while that was never followed.
    """

    __tablename__ = "identities"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(String(300))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    said: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("uq_identities_subject", "provider_id", "subject", unique=True),
        Index("ix_identities_user", "user_id"),
    )


class ProviderGroup(Base):
    """A role that people get by being in a provider's group; `*` stands for everybody who comes by it."""

    __tablename__ = "provider_groups"

    provider_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    group_name: Mapped[str] = mapped_column(String(300), primary_key=True)
    role_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_provider_groups_role", "role_id"),)


class SignInTransaction(Base):
    """A sign-in on its way to a provider and back. It belongs to one browser, is used once, and lives some minutes.

    `state` travels with it; `nonce` and `request_id` are what the answer must name; `verifier` (PKCE) is sealed. Once the
    provider's answer is found good, `outcome` (sealed) waits for the browser to fetch it with a ticket of its own.
    `purpose` is `sign_in`, `try` (an administrator looks at what a sign-in would do) or `link` (somebody signed in takes
    an identity as their own); for the latter two `person_id` is who.
    """

    __tablename__ = "sign_in_transactions"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str | None] = mapped_column(String(100))
    verifier: Mapped[bytes | None] = mapped_column(LargeBinary)
    request_id: Mapped[str | None] = mapped_column(String(100))
    next_path: Mapped[str] = mapped_column(String(2000))
    ticket_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    outcome: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_with: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_sign_in_transactions_provider", "provider_id"),
        Index("ix_sign_in_transactions_person", "person_id"),
        Index("ix_sign_in_transactions_expires", "expires_at"),
    )


class SeenToken(Base):
    """A message of a provider that counts once, such as a logout token or an assertion: kept until it would have expired."""

    __tablename__ = "seen_provider_tokens"

    provider_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_seen_provider_tokens_expires", "expires_at"),)
