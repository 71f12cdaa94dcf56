"""A service level's newest version, applied to the requests that run by an earlier one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

RUNNING, FINISHED, STOPPED, OVERTAKEN, REVOKED = "RUNNING", "FINISHED", "STOPPED", "OVERTAKEN", "REVOKED"
IS_RUNNING = f"status = '{RUNNING}'"


class LevelRun(Base):
    """One run over the requests of a policy: what it comes to is counted (`is_trial`), or done.

    `last_ticket_id` is how far it came: what a batch did, its counts and this are one transaction. OVERTAKEN: the policy
    was changed or removed meanwhile. REVOKED: who began it may not configure policies any more.
    """

    __tablename__ = "sla_level_runs"

    id: Mapped[BigId]
    policy_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sla_policies.id", ondelete="CASCADE"))
    policy_version: Mapped[int] = mapped_column(Integer)
    is_trial: Mapped[bool]
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    limited_to: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # the permissions of the token that asked
    status: Mapped[str] = mapped_column(String(9))
    total: Mapped[int] = mapped_column(Integer)  # requests that ran when it began
    done: Mapped[int] = mapped_column(Integer)
    last_ticket_id: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[dict[str, int]] = mapped_column(JSONB)  # how many requests ran by which version
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)  # words of `level_effects.COUNTED`
    examples: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    stopped_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))

    __table_args__ = (
        CheckConstraint("status IN ('RUNNING', 'FINISHED', 'STOPPED', 'OVERTAKEN', 'REVOKED')", name="status"),
        Index(
            "uq_sla_level_runs_one", "policy_id", unique=True, postgresql_where=text(f"{IS_RUNNING} AND NOT is_trial")
        ),
        Index("ix_sla_level_runs_running", "id", postgresql_where=text(IS_RUNNING)),
        Index("ix_sla_level_runs_policy", "policy_id", "id", postgresql_where=text("NOT is_trial")),
        Index("ix_sla_level_runs_trials", "actor_id", "policy_id", postgresql_where=text("is_trial")),
        Index("ix_sla_level_runs_actor", "actor_id"),
        Index("ix_sla_level_runs_stopped_by", "stopped_by_id", postgresql_where=text("stopped_by_id IS NOT NULL")),
    )
