"""What a pushing system told of people and groups, its tokens, and what it asked for last."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

_KEPT = text("deleted_at IS NULL")


class ScimPerson(Base):
    """Somebody as a provider knows them. `document` is what it said; the other columns are what it asks for.

    `is_active` is None until the provider, or an administrator of ours, has said so. A row with `deleted_at` remembers
    whose account it was, so that somebody who is pushed again finds their own account and nobody else's.
    """

    __tablename__ = "scim_people"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    scim_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    external_id: Mapped[str | None] = mapped_column(String(255))
    user_name: Mapped[str] = mapped_column(String(254))
    display_name: Mapped[str | None] = mapped_column(String(255))
    emails: Mapped[list[str]] = mapped_column(ARRAY(String(254)), server_default="{}")
    is_active: Mapped[bool | None] = mapped_column(Boolean)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_scim_people_scim_id", "scim_id", unique=True),
        Index(
            "uq_scim_people_user_name",
            "provider_id",
            text("lower(user_name)"),
            unique=True,
            postgresql_where=_KEPT,
        ),
        Index("uq_scim_people_external_id", "provider_id", "external_id", unique=True, postgresql_where=_KEPT),
        Index("uq_scim_people_user", "provider_id", "user_id", unique=True, postgresql_where=_KEPT),
        Index("ix_scim_people_provider", "provider_id", "id", postgresql_where=_KEPT),
        Index("ix_scim_people_display_name", "provider_id", text("lower(display_name)"), postgresql_where=_KEPT),
        Index("ix_scim_people_updated", "provider_id", "updated_at", postgresql_where=_KEPT),
        Index("ix_scim_people_disabled", "provider_id", "disabled_at"),
        Index("ix_scim_people_emails", "emails", postgresql_using="gin"),
        Index("ix_scim_people_user", "user_id"),
    )


class ScimGroup(Base):
    """A group of a provider. Which roles it gives is said by the provider's map, under the group's name."""

    __tablename__ = "scim_groups"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    scim_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    external_id: Mapped[str | None] = mapped_column(String(255))
    display_name: Mapped[str] = mapped_column(String(255))
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_scim_groups_scim_id", "scim_id", unique=True),
        Index("uq_scim_groups_display_name", "provider_id", text("lower(display_name)"), unique=True),
        Index("uq_scim_groups_external_id", "provider_id", "external_id", unique=True),
        Index("ix_scim_groups_provider", "provider_id", "id"),
        Index("ix_scim_groups_updated", "provider_id", "updated_at"),
    )


class ScimMember(Base):
    """Somebody in a group; `display` is what the provider called them there."""

    __tablename__ = "scim_members"

    group_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("scim_groups.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("scim_people.id", ondelete="CASCADE"), primary_key=True
    )
    display: Mapped[str | None] = mapped_column(String(255))

    __table_args__ = (Index("ix_scim_members_person", "person_id", "group_id"),)


class ScimToken(Base):
    """What opens the door for a provider. Only the hash is kept; `prefix` tells administrators which one it is."""

    __tablename__ = "scim_tokens"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    prefix: Mapped[str] = mapped_column(String(16))
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_scim_tokens_hash", "token_hash", unique=True),
        Index("ix_scim_tokens_provider", "provider_id", "id"),
        Index("ix_scim_tokens_created_by", "created_by_id"),
    )


class ScimRequestRow(Base):
    """One of a provider's last requests: what it asked for and what it was told. The oldest are forgotten."""

    __tablename__ = "scim_requests"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(8))
    path: Mapped[str] = mapped_column(String(200))
    status: Mapped[int] = mapped_column(SmallInteger)
    detail: Mapped[str] = mapped_column(Text, server_default="")
    milliseconds: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("ix_scim_requests_provider", "provider_id", "id"),)


class ScimStop(Base):
    """A provider that wanted to disable too many at once: since when it is stopped, and until when it may go on."""

    __tablename__ = "scim_stops"

    provider_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    stopped_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(Text, server_default="")
    allowed_until: Mapped[datetime | None]
    allowed_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_scim_stops_allowed_by", "allowed_by_id"),)
