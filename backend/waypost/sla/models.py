"""Calendars of working hours and service level policies, each with every version it ever had.

What runs keeps the version it began with; the newest one is what new requests get.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.kernel.sealing import SealedText


class SlaCalendar(Base):
    """Working hours under a name. `week` are seven lists of `[from, to]` in minutes of the day, Monday first.

    `in_persons_zone`: where it is a person's calendar, its hours are meant by the clock where that person is. One is the
    default; who and what names no other goes by it.
    """

    __tablename__ = "sla_calendars"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    zone: Mapped[str] = mapped_column(String(64))
    week: Mapped[list[list[list[int]]]] = mapped_column(JSONB)
    in_persons_zone: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_default: Mapped[bool] = mapped_column(Boolean, server_default="false")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("uq_sla_calendars_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )


class SlaCalendarDay(Base):
    """A day that is not as its weekday: CLOSED on a date, YEARLY on a day of every year, SPECIAL hours on a date.

    `source` is MANUAL, or ICAL for what came from a calendar file; `uid` is then the event's own name there.
    """

    __tablename__ = "sla_calendar_days"

    id: Mapped[BigId]
    calendar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sla_calendars.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    day: Mapped[date | None] = mapped_column(Date)
    month: Mapped[int | None] = mapped_column(SmallInteger)
    day_of_month: Mapped[int | None] = mapped_column(SmallInteger)
    hours: Mapped[list[list[int]] | None] = mapped_column(JSONB(none_as_null=True))
    name: Mapped[str] = mapped_column(String(200), server_default="")
    source: Mapped[str] = mapped_column(String(8), server_default="MANUAL")
    uid: Mapped[str | None] = mapped_column(String(255))

    __table_args__ = (
        CheckConstraint(
            "kind IN ('CLOSED', 'YEARLY', 'SPECIAL') AND (kind = 'YEARLY') = (day IS NULL)"
            " AND (kind = 'YEARLY') = (month IS NOT NULL AND day_of_month IS NOT NULL)"
            " AND (kind = 'SPECIAL') = (hours IS NOT NULL)",
            name="kind",
        ),
        CheckConstraint("source IN ('MANUAL', 'ICAL')", name="source"),
        Index("uq_sla_calendar_days_day", "calendar_id", "source", "day", unique=True),
        Index("uq_sla_calendar_days_yearly", "calendar_id", "source", "month", "day_of_month", unique=True),
    )


class SlaCalendarVersion(Base):
    """A calendar as it once was, whole: zone, week and days. Rows are only ever added."""

    __tablename__ = "sla_calendar_versions"

    calendar_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sla_calendars.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SlaCalendarFile(Base):
    """The calendar file (iCalendar) some of a calendar's days come from, as it was read last.

    With an address it is fetched from there again and again; the address can be as good as a password, so it is sealed.
    `next_at` is when it is fetched or followed into another year. While `failing_since` is set the last good file counts.
    """

    __tablename__ = "sla_calendar_files"

    calendar_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sla_calendars.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(String(255))  # of the file, or the host it is fetched from
    address: Mapped[str | None] = mapped_column("sealed_address", SealedText("sla_calendar_files.address"))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    read_at: Mapped[datetime]
    next_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str] = mapped_column(String(300), server_default="")

    __table_args__ = (Index("ix_sla_calendar_files_next", "next_at"),)


class SlaWorkingCalendar(Base):
    """Whose calendar is which: a person's own, or a department's people's."""

    __tablename__ = "sla_working_calendars"

    id: Mapped[BigId]
    calendar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sla_calendars.id"))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    department_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("departments.id", ondelete="CASCADE"), unique=True
    )

    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (department_id IS NULL)", name="whose"),
        Index("ix_sla_working_calendars_calendar", "calendar_id"),
    )


class SlaPolicy(Base):
    """A policy under its name; its content is the document of the version it is at. The lowest `position` is asked first.

    One that was removed stays for what began by it, and is never active.
    """

    __tablename__ = "sla_policies"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100))
    position: Mapped[int] = mapped_column(Integer)
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    removed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_sla_policies_position", "position", "id"),
        Index("uq_sla_policies_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
    )


class SlaPolicyVersion(Base):
    """What a policy said in one version. `field_kinds` keeps what its custom fields meant then. Rows are only ever added."""

    __tablename__ = "sla_policy_versions"

    policy_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sla_policies.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100))
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    field_kinds: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    note: Mapped[str] = mapped_column(String(500), server_default="")
    changed_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
