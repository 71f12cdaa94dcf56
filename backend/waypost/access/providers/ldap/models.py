"""Looks at a directory: what each found and did, person by person, and how far the list has been read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class RunState(StrEnum):
    """How a look at a directory stands."""

    WAITING = "WAITING"  # for a worker
    RUNNING = "RUNNING"
    DONE = "DONE"
    PLANNED = "PLANNED"  # it was to be planned only
    STOPPED = "STOPPED"  # its plan waits for an administrator
    HELD = "HELD"  # its plan is that of an earlier run (`plan_of_id`), which stopped
    FAILED = "FAILED"  # the directory could not be read, or everything went wrong
    APPLIED = "APPLIED"  # it stopped, and an administrator let its plan be done
    DISMISSED = "DISMISSED"  # it stopped, and its plan was put away, or a newer one took its place


class DirectoryRun(Base):
    """One look at a directory. With `plan_of_id` it is to do the plan of that run, if it still is the same, or is held by it.

    `counts` are people by what becomes of them; `digest` is the plan's fingerprint; `stop` says why it stopped. A person
    asked for it (`asked_by_id`), or the clock.
    """

    __tablename__ = "directory_runs"

    id: Mapped[BigId]
    provider_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))
    is_dry: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_whole: Mapped[bool] = mapped_column(Boolean, server_default="true")
    asked_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    plan_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("directory_runs.id", ondelete="CASCADE"))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    digest: Mapped[str | None] = mapped_column(String(64))
    stop: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    settled_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_directory_runs_provider", "provider_id", "id"),
        Index(
            "uq_directory_runs_open",
            "provider_id",
            unique=True,
            postgresql_where=text("state IN ('WAITING', 'RUNNING')"),
        ),
        Index("ix_directory_runs_plan_of", "plan_of_id", postgresql_where=text("plan_of_id IS NOT NULL")),
    )


class DirectoryRunPerson(Base):
    """What a run made, or would make, of one person, and why; `error` is what kept it from being done."""

    __tablename__ = "directory_run_people"

    run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("directory_runs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    action: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    changes: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    note: Mapped[str] = mapped_column(Text, server_default="")
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_directory_run_people_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),)


class DirectoryCursor(Base):
    """How far a directory has been read: at which server and how far, how its groups were, and when it was read whole."""

    __tablename__ = "directory_cursors"

    provider_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    server: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(String(40))
    groups: Mapped[str] = mapped_column(String(64), server_default="")
    settings_version: Mapped[int] = mapped_column(Integer)
    whole_at: Mapped[datetime]


class DirectoryLeaver(Base):
    """Somebody whom following a directory deactivated: them it may let in again, whom a person here sent away it may not."""

    __tablename__ = "directory_leavers"

    provider_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]

    __table_args__ = (Index("ix_directory_leavers_user", "user_id"),)
