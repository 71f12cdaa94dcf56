"""Saved views and who pinned which."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class SavedView(Base):
    """A list of tickets under a name. `condition` and `filters` keep the words "me" or "-7d"; each reading resolves them.

    `scope` says whose it is: PERSONAL its owner's, TEAM a team's, ROLE everybody's with a role.
    """

    __tablename__ = "saved_views"

    id: Mapped[BigId]
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(8))
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="CASCADE"))
    role: Mapped[str | None] = mapped_column(String(64), ForeignKey("roles.key", ondelete="CASCADE"))
    condition: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sort: Mapped[str] = mapped_column(String(16))
    columns: Mapped[list[str]] = mapped_column(JSONB)
    group_by: Mapped[str | None] = mapped_column(String(16))
    is_default: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "scope IN ('PERSONAL', 'TEAM', 'ROLE') AND (scope = 'TEAM') = (team_id IS NOT NULL)"
            " AND (scope = 'ROLE') = (role IS NOT NULL)",
            name="scope",
        ),
        Index("ix_saved_views_owner", "owner_id", "name", "id"),
        Index("ix_saved_views_team", "team_id", postgresql_where=text("team_id IS NOT NULL")),
        Index("ix_saved_views_role", "role", postgresql_where=text("role IS NOT NULL")),
        Index(
            "uq_saved_views_role_default",
            "role",
            unique=True,
            postgresql_where=text("is_default AND scope = 'ROLE'"),
        ),
        Index(
            "uq_saved_views_own_default",
            "owner_id",
            unique=True,
            postgresql_where=text("is_default AND scope = 'PERSONAL'"),
        ),
    )


class SavedViewPin(Base):
    """A view somebody keeps in their side bar."""

    __tablename__ = "saved_view_pins"

    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    view_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("saved_views.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    pinned_at: Mapped[datetime]

    __table_args__ = (Index("ix_saved_view_pins_view", "view_id"),)
