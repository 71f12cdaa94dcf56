"""Saved views, who pinned which, and who is told of what is new in which."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.kernel.events import Xid8


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


class ViewAlert(Base):
    """Somebody who is told of what is new in a view. `how`: AT_ONCE, DAILY or WEEKLY; `next_at` is when the latter tell.

    `is_seeded`: what the view showed from the start is known, so that only what comes is news. Where that was too much to
    keep, `after_ticket_id` says that only newer tickets are. `why` says why it cannot tell at present; NULL when it can.
    """

    __tablename__ = "view_alerts"

    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    view_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("saved_views.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    how: Mapped[str] = mapped_column(String(8))
    is_seeded: Mapped[bool] = mapped_column(Boolean)
    after_ticket_id: Mapped[int | None] = mapped_column(BigInteger)
    next_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("how IN ('AT_ONCE', 'DAILY', 'WEEKLY') AND (how = 'AT_ONCE') = (next_at IS NULL)", name="how"),
        Index("ix_view_alerts_view", "view_id"),
        Index("ix_view_alerts_next", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )


class ViewAlertMatch(Base):
    """A ticket that an alert has met: each is told once. `told_at` is NULL while it waits for the next digest."""

    __tablename__ = "view_alert_matches"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    view_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    told_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "view_id"],
            ["view_alerts.user_id", "view_alerts.view_id"],
            ondelete="CASCADE",
            name="fk_view_alert_matches_alert",
        ),
        Index("ix_view_alert_matches_ticket", "ticket_id"),
        Index("ix_view_alert_matches_waiting", "view_id", "user_id", postgresql_where=text("told_at IS NULL")),
    )


class ViewAlertProgress(Base):
    """How far the alerts have come in the log; never further than the index, by which words are found."""

    __tablename__ = "view_alert_progress"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    txid: Mapped[str] = mapped_column(Xid8)
    event_id: Mapped[int] = mapped_column(BigInteger)
