"""Schedules of exports: which report, when, in which formats, and for whom."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ExportSchedule(Base):
    """A report that is exported by itself and mailed: at `at_time` on the wall of `zone`, on the days of `every`.

    ACTIVE while `next_at` is its next instant; PAUSED, with why, by its owner or because they left or lost the report.
    What is exported is a report or, with `board` and the `days` it tells of, a dashboard (`sources.py`).
    It is for these people, and for who is in these teams or has these roles when it is sent. `failing_ids` are those who
    got nothing the last time: its owner is told when they change.
    """

    __tablename__ = "export_schedules"

    id: Mapped[BigId]
    report_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("saved_reports.id", ondelete="CASCADE"))
    board: Mapped[str | None] = mapped_column(String(16))
    days: Mapped[int | None] = mapped_column(SmallInteger)
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    subject: Mapped[str] = mapped_column(String(150))
    formats: Mapped[list[str]] = mapped_column(ARRAY(Text))
    every: Mapped[str] = mapped_column(String(8))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{}", default=list)
    day: Mapped[int] = mapped_column(SmallInteger, server_default="1", default=1)
    at_time: Mapped[time]
    zone: Mapped[str] = mapped_column(String(64))
    person_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    team_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}", default=list)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    state: Mapped[str] = mapped_column(String(16))
    paused_why: Mapped[str | None] = mapped_column(String(16))
    next_at: Mapped[datetime | None]
    failing_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}", default=list)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("every IN ('DAY', 'WEEKDAY', 'WEEK', 'MONTH')", name="every"),
        CheckConstraint("state IN ('ACTIVE', 'PAUSED')", name="state"),
        CheckConstraint("paused_why IN ('BY_OWNER', 'OWNER_LEFT', 'NOT_SHARED')", name="paused_why"),
        CheckConstraint("(report_id IS NULL) = (board IS NOT NULL) AND (board IS NULL) = (days IS NULL)", name="of"),
        CheckConstraint("(state = 'ACTIVE') = (next_at IS NOT NULL)", name="next"),
        Index("ix_export_schedules_owner", "owner_id", text("id DESC")),
        Index("ix_export_schedules_report", "report_id"),
        Index("ix_export_schedules_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )
