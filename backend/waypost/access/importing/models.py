"""Tables of people somebody brings, row by row, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

STATUSES = ("UPLOADED", "CHECKED", "RUNNING", "FINISHED", "CANCELLED")
OUTCOMES = ("NEW", "CHANGE", "SAME", "WRONG")


class PeopleImport(Base):
    """A file somebody brought (`kernel.jobs`). `to_do` is how many of its rows do something."""

    __tablename__ = "people_imports"

    id: Mapped[BigId]
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    encoding: Mapped[str] = mapped_column(String(16))
    separator: Mapped[str] = mapped_column(String(1))
    headings: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    total: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(9))
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    limited_to: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))  # the permissions of the token that brought it
    is_proved: Mapped[bool] = mapped_column(Boolean, server_default="false")  # who runs it has shown to be them
    to_do: Mapped[int] = mapped_column(Integer, server_default="0")
    done: Mapped[int] = mapped_column(Integer, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(map(repr, STATUSES))})", name="status"),
        Index("ix_people_imports_running", "id", postgresql_where=text("status = 'RUNNING'")),
        Index("ix_people_imports_actor", "actor_id", "id"),
        Index("ix_people_imports_created", "created_at"),
    )


class PeopleImportRow(Base):
    """One row of a file. `outcome` says what it does, `changes` each field before and after, `errors` why it is refused
    (`{field, column, message}`); `error` why it failed when its turn came. `waits`: so many roles wait for a second one.
    """

    __tablename__ = "people_import_rows"

    job_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("people_imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cells: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    position: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str | None] = mapped_column(String(6))
    name: Mapped[str] = mapped_column(TEXT, server_default="")
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    changes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    leaves: Mapped[bool] = mapped_column(Boolean, server_default="false")
    status: Mapped[str] = mapped_column(String(8))
    waits: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        CheckConstraint(f"outcome IN ({', '.join(map(repr, OUTCOMES))})", name="outcome"),
        CheckConstraint("status IN ('WAITING', 'PENDING', 'DONE', 'FAILED')", name="status"),
        Index("ix_people_import_rows_position", "job_id", "status", "position"),
        Index("ix_people_import_rows_outcome", "job_id", "outcome", "number"),
        Index("ix_people_import_rows_user", "user_id"),
    )
