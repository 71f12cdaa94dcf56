"""Routing rules as they were published, what they decided for a ticket, and whose turn it was last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base


class RoutingRuleSet(Base):
    """All rules as published together; the highest version is in force. `field_kinds` keeps what their custom fields
    meant, so that a form changed later does not change a rule.
    """

    __tablename__ = "routing_rule_sets"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    field_kinds: Mapped[dict[str, Any]] = mapped_column(JSONB)
    note: Mapped[str] = mapped_column(String(500), server_default="")
    restored_from: Mapped[int | None] = mapped_column(Integer)
    published_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    published_at: Mapped[datetime]


class TicketRouting(Base):
    """What the rules decided when a ticket was last sent. `before` is what it had until then; `way` waits for approval."""

    __tablename__ = "ticket_routings"

    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    rules_version: Mapped[int] = mapped_column(Integer)
    fired: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    team_id: Mapped[int | None] = mapped_column(BigInteger)
    priority: Mapped[str | None] = mapped_column(String(16))
    way: Mapped[str | None] = mapped_column(String(16))
    assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    decided_at: Mapped[datetime]


class TeamRotation(Base):
    """Who of a team was last given a ticket in turn; its row is the lock under which the next one is found."""

    __tablename__ = "team_rotations"

    team_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    last_user_id: Mapped[int | None] = mapped_column(BigInteger)
