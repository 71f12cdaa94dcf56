"""Rules with their versions, what they did and why, when rules over time are due, and calls that wait to go out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.automation.sealed_addresses import RuleDocument
from waypost.kernel.db import Base, BigId
from waypost.kernel.sealing import SealedText


class AutomationRule(Base):
    """A rule. `field_kinds` keeps what its custom fields meant, so that a form changed later does not change it.

    `since` is when it came into use as it is: moments before are not its business. `secret` signs what it calls.
    """

    __tablename__ = "automation_rules"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    position: Mapped[int] = mapped_column(Integer)
    is_active: Mapped[bool] = mapped_column(Boolean)
    document: Mapped[dict[str, Any]] = mapped_column(RuleDocument)
    field_kinds: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reaches_confidential: Mapped[bool] = mapped_column(Boolean)
    secret: Mapped[str] = mapped_column(SealedText("automation_rules.secret"))
    version: Mapped[int] = mapped_column(Integer)
    author_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    since: Mapped[datetime]
    planned_to: Mapped[int | None] = mapped_column(
        BigInteger
    )  # of a rule over time, while tickets from before it are planned: so far
    alarmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_automation_rules_order", "position", "id"),
        Index("ix_automation_rules_author", "author_id"),
    )


class AutomationRuleVersion(Base):
    """A rule as it once was. Rows are only ever added."""

    __tablename__ = "automation_rule_versions"

    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("automation_rules.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100))
    is_active: Mapped[bool] = mapped_column(Boolean)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    changed_at: Mapped[datetime]

    __table_args__ = (Index("ix_automation_rule_versions_changed_by", "changed_by_id"),)


class AutomationRun(Base):
    """A rule was asked about a ticket. `cause` (`event:42`, `time:…`) makes it once; `why` is the condition part by part.

    `outcome`: DONE, REFUSED (nothing of it was done), NOT_HELD, STOPPED (a loop ends here), FAILED (a defect).
    """

    __tablename__ = "automation_runs"

    id: Mapped[BigId]
    rule_id: Mapped[int] = mapped_column(BigInteger)
    rule_version: Mapped[int] = mapped_column(Integer)
    rule_name: Mapped[str] = mapped_column(String(100))
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    cause: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    trigger: Mapped[str] = mapped_column(String(24))
    outcome: Mapped[str] = mapped_column(String(8))
    why: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    chain: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    took_ms: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("outcome IN ('DONE', 'REFUSED', 'NOT_HELD', 'STOPPED', 'FAILED')", name="outcome"),
        Index("uq_automation_runs_cause", "rule_id", "ticket_id", "cause", unique=True),
        Index("ix_automation_runs_rule", "rule_id", "id"),
        Index("ix_automation_runs_fired", "rule_id", "id", postgresql_where=text("outcome <> 'NOT_HELD'")),
        Index("ix_automation_runs_ticket", "ticket_id", "id"),
        Index("ix_automation_runs_at", "at"),
    )


class AutomationDue(Base):
    """When a rule over time is due for a ticket. `anchor` is what it is counted from; `done_at` keeps it from coming again."""

    __tablename__ = "automation_due"

    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("automation_rules.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    anchor: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_automation_due_due", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_automation_due_ticket", "ticket_id"),
    )


class AutomationCall(Base):
    """A call of another system that a rule asked for. Bodies hold no internal words and no answers of forms."""

    __tablename__ = "automation_calls"

    id: Mapped[BigId]
    rule_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("automation_rules.id", ondelete="CASCADE"))
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(SealedText("automation_calls.url"))
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(SmallInteger)
    next_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('WAITING', 'DONE', 'FAILED')", name="status"),
        Index("ix_automation_calls_due", "next_at", postgresql_where=text("status = 'WAITING'")),
        Index("ix_automation_calls_rule", "rule_id", "id"),
        Index("ix_automation_calls_ticket", "ticket_id"),
        Index("ix_automation_calls_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )
