"""Reports taken away as files: what is asked for, for whom it is made, and the files themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ReportExport(Base):
    """A report to be taken away, once: QUEUED until a worker begins, then RUNNING until each part is settled.

    DONE when a part was made, FAILED when none was; `total`, `done` and `failed` count its parts. A NOW is one's own file,
    SCHEDULED what a schedule does at `due_at`, MANUAL the same when somebody asks, TEST the same for its owner alone.
    What is exported is a report or, with `board` and the `days` it tells of, a dashboard (`sources.py`).
    """

    __tablename__ = "report_exports"

    id: Mapped[BigId]
    kind: Mapped[str] = mapped_column(String(16))
    report_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("saved_reports.id", ondelete="SET NULL"))
    report_name: Mapped[str] = mapped_column(String(100))
    board: Mapped[str | None] = mapped_column(String(16))
    days: Mapped[int | None] = mapped_column(SmallInteger)
    asked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    schedule_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("export_schedules.id", ondelete="SET NULL"))
    due_at: Mapped[datetime | None]
    formats: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(String(16))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    failed: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('NOW', 'SCHEDULED', 'MANUAL', 'TEST')", name="kind"),
        CheckConstraint("status IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name="status"),
        Index("ix_report_exports_asked_by", "asked_by_id", text("id DESC")),
        Index("ix_report_exports_report", "report_id"),
        Index("ix_report_exports_created", "created_at"),
        Index("ix_report_exports_schedule", "schedule_id", text("id DESC")),
        # what is due at one instant is exported once
        Index(
            "uq_report_exports_due",
            "schedule_id",
            "due_at",
            unique=True,
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )


class ExportPart(Base):
    """What one person gets of an export: the rows they may see when its turn comes.

    WAITING (`next_at` is when it is tried, again), DONE, FAILED with `error` in words, or CANCELLED. `is_now`: somebody
    waits for it at a screen. `is_mailed`: it goes to them by mail.
    """

    __tablename__ = "report_export_parts"

    id: Mapped[BigId]
    export_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("report_exports.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16))
    is_now: Mapped[bool] = mapped_column(Boolean)
    is_mailed: Mapped[bool] = mapped_column(Boolean)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    next_at: Mapped[datetime]
    rows: Mapped[int | None] = mapped_column(Integer)
    size: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('WAITING', 'DONE', 'FAILED', 'CANCELLED')", name="status"),
        Index("uq_report_export_parts_person", "export_id", "user_id", unique=True),
        Index("ix_report_export_parts_user", "user_id", text("export_id DESC")),
        Index(
            "ix_report_export_parts_waiting",
            text("is_now DESC"),
            "id",
            postgresql_where=text("status = 'WAITING'"),
        ),
    )


class ExportFile(Base):
    """A file of a part: sealed in the store of files under a key of its own, until `expires_at`; then its name alone."""

    __tablename__ = "report_export_files"
    sealed_columns: ClassVar[tuple[str, str]] = ("wrapped_key", "key_id")

    id: Mapped[BigId]
    part_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("report_export_parts.id", ondelete="CASCADE"))
    format: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]
    object_name: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(16))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("uq_report_export_files_format", "part_id", "format", unique=True),
        Index("ix_report_export_files_object", "object_name"),
        Index("ix_report_export_files_kept", "expires_at", postgresql_where=text("object_name IS NOT NULL")),
    )

    @property
    def about(self) -> bytes:
        """What its key is wrapped for."""
        return (self.object_name or "").encode()
