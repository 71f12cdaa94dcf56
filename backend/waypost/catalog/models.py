"""Ticket types, the categories they stand under, and their forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class Category(Base):
    """A heading of the catalogue. Types name it; a new name reaches them by the foreign key."""

    __tablename__ = "categories"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    position: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TicketType(Base):
    """A kind of request: its form, who fulfils it, whether it needs a yes. `prefix` starts its tickets' numbers.

    `sealed_keys` are the fields whose answers are kept sealed (`sensitive.sealed_keys`), of tickets of every form version.
    """

    __tablename__ = "ticket_types"

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, server_default="")
    category: Mapped[str] = mapped_column(
        String(64), ForeignKey("categories.name", onupdate="CASCADE"), server_default="Other"
    )
    keywords: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default="{}")
    icon: Mapped[str] = mapped_column(String(64), server_default="inbox")
    prefix: Mapped[str] = mapped_column(String(5), unique=True)
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    form_version: Mapped[int] = mapped_column(Integer, server_default="1")
    sealed_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    has_amount: Mapped[bool] = mapped_column(Boolean, server_default="false")
    requires_approval: Mapped[bool] = mapped_column(Boolean, server_default="true")
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id"))
    default_priority: Mapped[str] = mapped_column(String(16), server_default="MEDIUM")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("ix_ticket_types_name", "name", "id"), Index("ix_ticket_types_category", "category"))


class FormVersion(Base):
    """Every form a type ever had: old tickets keep the one they were made with."""

    __tablename__ = "form_versions"

    ticket_type_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ticket_types.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(String(500), server_default="")
    restored_from: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
