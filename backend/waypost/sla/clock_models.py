"""Clocks of requests, and the moments at which something is to be said about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.sla.clock import Run
from waypost.sla.marking import Metric

UNFIRED = "fired_at IS NULL"
ACTIVE = "run <> 'STOPPED'"
_METRICS = ", ".join(repr(m.value) for m in Metric)
_RUNS = ", ".join(repr(r.value) for r in Run)


class SlaClock(Base):
    """How one target of a ticket stands, as `measuring` gives it from the event log; nothing here is known otherwise.

    `team_id` is whose own time is meant, 0 for targets of the whole request. `marks` are `[microseconds since 1970, run,
    why]`; `used_seconds` is what had run when the last of them was made, so it holds still while the clock runs.
    """

    __tablename__ = "sla_clocks"

    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    metric: Mapped[str] = mapped_column(String(16), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    policy_id: Mapped[int] = mapped_column(BigInteger)
    policy_version: Mapped[int] = mapped_column(Integer)
    calendar_id: Mapped[int] = mapped_column(BigInteger)
    calendar_version: Mapped[int] = mapped_column(Integer)
    priority: Mapped[str] = mapped_column(String(16))
    target_seconds: Mapped[float] = mapped_column(Double)
    marks: Mapped[list[Any]] = mapped_column(JSONB)
    run: Mapped[str] = mapped_column(String(8))
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    used_seconds: Mapped[float] = mapped_column(Double)
    due_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    reopens: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        CheckConstraint(f"metric IN ({_METRICS})", name="metric"),
        CheckConstraint(f"run IN ({_RUNS})", name="run"),
        Index("ix_sla_clocks_active", "policy_id", "ticket_id", postgresql_where=text(ACTIVE)),
        Index("ix_sla_clocks_calendar", "calendar_id", "ticket_id"),
    )


class SlaTimer(Base):
    """A moment at which a clock warns (`percent` of its time are over) or is breached; fired once, then kept as told."""

    __tablename__ = "sla_timers"

    id: Mapped[BigId]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    metric: Mapped[str] = mapped_column(String(16))
    team_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    percent: Mapped[int] = mapped_column(SmallInteger)
    fires_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('WARN', 'BREACH')", name="kind"),
        UniqueConstraint("ticket_id", "metric", "team_id", "percent", "fires_at", name="uq_sla_timers_once"),
        Index("ix_sla_timers_due", "fires_at", "ticket_id", postgresql_where=text(UNFIRED)),
    )
