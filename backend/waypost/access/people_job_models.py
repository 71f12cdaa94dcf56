"""One change of many people, as an administrator asked for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

DONE, SAME, WAITS = "DONE", "SAME", "WAITS"  # what came of one person


class PeopleJob(Base):
    """What is to be done with which people (`kernel.jobs`)."""

    __tablename__ = "people_jobs"

    id: Mapped[BigId]
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    action: Mapped[dict[str, Any]] = mapped_column(JSONB)
    limited_to: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # the permissions of the token that asked
    is_proved: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # who asked has confirmed it
    status: Mapped[str] = mapped_column(String(8))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    undo_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("people_jobs.id", ondelete="CASCADE"))

    __table_args__ = (
        CheckConstraint("status IN ('RUNNING', 'FINISHED')", name="status"),
        Index("uq_people_jobs_undo_of", "undo_of_id", unique=True, postgresql_where=text("undo_of_id IS NOT NULL")),
        Index("ix_people_jobs_running", "id", postgresql_where=text("status = 'RUNNING'")),
        Index("ix_people_jobs_actor", "actor_id", "id"),
    )


class PeopleJobItem(Base):
    """One person of a job. `outcome` says, once it is done, what came of it: done, so already, or waiting for a second one."""

    __tablename__ = "people_job_items"

    job_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people_jobs.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str | None] = mapped_column(String(8))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # what it takes to undo it (`people_undo`)

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name="status"),
        Index("ix_people_job_items_position", "job_id", "status", "position"),
        Index("ix_people_job_items_user", "user_id"),
    )
