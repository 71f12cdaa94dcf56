"""People, departments and teams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.kernel.sealing import SealedText

PERSON, SERVICE = "PERSON", "SERVICE"  # a program's account: never active as a person, so nothing is asked of it


class User(Base):
    """A person who works here. `username` and `email` are unique whatever their case.

    `legal_hold` is why nothing about them may be erased now; `erased_at` is when it was. `signed_in_at` is their newest sign-in.
    """

    __tablename__ = "users"

    id: Mapped[BigId]
    username: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(254))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    department_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("departments.id"))
    manager_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    job_title: Mapped[str] = mapped_column(String(100), server_default="")
    timezone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    locale: Mapped[str] = mapped_column(String(16), server_default="en")
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    kind: Mapped[str] = mapped_column(String(8), server_default="PERSON")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    legal_hold: Mapped[str | None] = mapped_column(Text)
    signed_in_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_users_username", text("lower(username)"), unique=True),
        Index("uq_users_email", text("lower(email)"), unique=True),
        Index("ix_users_manager", "manager_id"),
        Index("ix_users_department", "department_id"),
        Index("ix_users_name", "last_name", "first_name", "id"),
        Index(
            "ix_users_search",
            text("(lower(first_name || ' ' || last_name || ' ' || username || ' ' || email)) gin_trgm_ops"),
            postgresql_using="gin",
        ),
        Index(
            "ix_users_words",
            text("waypost_words_of_name(first_name || ' ' || last_name || ' ' || username) gin_trgm_ops"),
            postgresql_using="gin",
        ),
        CheckConstraint("manager_id <> id", name="not_own_manager"),
    )

    @property
    def name(self) -> str:
        """First and last name, as people read it."""
        return f"{self.first_name} {self.last_name}".strip()


class Department(Base):
    """A node of the department tree; `head_id` answers for it and everything below."""

    __tablename__ = "departments"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("departments.id"))
    head_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("users.id", use_alter=True, name="fk_departments_head_id")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (Index("ix_departments_parent", "parent_id"), Index("ix_departments_head", "head_id"))


class Team(Base):
    """People who fulfil a kind of request together."""

    __tablename__ = "teams"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class TeamMember(Base):
    """One person in one team; leads may speak for its members. `last_assigned_at` is when a ticket last came to them."""

    __tablename__ = "team_members"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    is_lead: Mapped[bool] = mapped_column(Boolean, server_default="false")
    last_assigned_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_team_members_user", "user_id"),)


class Absence(Base):
    """A time in which somebody is away: from `starts_at` up to but not including `ends_at`. The reason is private,
    and sealed: it is often about health.
    """

    __tablename__ = "absences"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column("sealed_reason", SealedText("absences.reason"))
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="window"),
        Index("ix_absences_user", "user_id", "ends_at"),
        Index("ix_absences_now", "ends_at", "starts_at", "user_id"),
    )
