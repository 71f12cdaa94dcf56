"""Workflow definitions and running workflows. Steps carry what the queue sorts by, so one index answers it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.approvals.states import StageStatus, StepStatus, WorkflowStatus
from waypost.kernel.db import Base, BigId


def _one_of(column: str, words: type[WorkflowStatus] | type[StageStatus] | type[StepStatus]) -> str:
    return f"{column} IN ({', '.join(repr(w.value) for w in words)})"


class ApprovalDefinition(Base):
    """A workflow as administrators know it. What it says stands in its versions; 0 is one that was never published.

    Of those in force no two have the same name: `name_in_force` is what of it must differ (`called.key_of`), and empty for
    the others. `draft` is what is being written, finished or not; it began as version `draft_base`. `draft_version` counts what was
    kept of it and never goes back, so that who wrote on an earlier draft is told.
    """

    __tablename__ = "approval_definitions"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100))
    name_in_force: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    draft: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), deferred=True, deferred_raiseload=True
    )
    draft_version: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    draft_base: Mapped[int | None] = mapped_column(Integer)
    draft_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    draft_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_approval_definitions_name", "name", "id"),
        Index("uq_approval_definitions_name_in_force", "name_in_force", unique=True),
    )


class ApprovalDefinitionVersion(Base):
    """One version of a definition, never changed. `field_kinds` are the form fields its conditions speak of.

    `restored_from` is the earlier version it repeats.
    """

    __tablename__ = "approval_definition_versions"

    definition_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("approval_definitions.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    field_kinds: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    note: Mapped[str] = mapped_column(Text, server_default="", default="")
    restored_from: Mapped[int | None] = mapped_column(Integer)
    created_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApprovalWorkflow(Base):
    """A workflow that judges one subject. `barred_ids` may not say yes.

    `subject` is what is judged, as approvers read it; every edit of it while they decide is its next `subject_version`.
    `one_by_one`: it is never decided together with others, being an emergency or worth more than `one_by_one_above`.
    `is_named`: its workflow was named for it (`named.py`), not found by the workflows' conditions.
    `facts` are what conditions look at (`scopes.facts_kept`). `confirmed_by`: with what who ended it past its approvers
    confirmed that it is them.
    """

    __tablename__ = "approval_workflows"

    id: Mapped[BigId]
    definition_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval_definitions.id"))
    definition_version: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    is_named: Mapped[bool] = mapped_column(Boolean, server_default="false", default=False)
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[dict[str, Any]] = mapped_column(JSONB)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    subject_version: Mapped[int] = mapped_column(Integer)
    one_by_one: Mapped[bool] = mapped_column(Boolean, server_default="false")
    one_by_one_above: Mapped[Decimal] = mapped_column(Numeric(14, 2), server_default="5000")
    round: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    barred_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    overridden_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    override_reason: Mapped[str] = mapped_column(Text, server_default="")
    confirmed_by: Mapped[str | None] = mapped_column(String(40))

    __table_args__ = (
        CheckConstraint(_one_of("status", WorkflowStatus), name="status"),
        Index("ix_approval_workflows_subject", "subject_type", "subject_id", "id"),
        # Of several starts at once one wins: a subject is judged by one workflow at a time.
        Index(
            "uq_approval_workflows_running",
            "subject_type",
            "subject_id",
            unique=True,
            postgresql_where=text("status = 'RUNNING'"),
        ),
    )


class ApprovalSubjectVersion(Base):
    """A subject as approvers read it from `at` on, until the next version; never changed.

    Unless a field of it became sensitive: then the answer gives way to its mark, and the whole as it was is `sealed`, so that
    what was signed can still be held against it.
    """

    __tablename__ = "approval_subject_versions"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "key_id")

    workflow_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("approval_workflows.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_id: Mapped[str | None] = mapped_column(String(16))
    at: Mapped[datetime]

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"approval_subject_versions.sealed:{self.workflow_id}:{self.version}".encode()


class ApprovalStage(Base):
    """A stage of a running workflow. `ladder` says what happens while nobody answers (times in minutes).

    With `in_working_time` its times are those of the working hours of whoever is asked.
    """

    __tablename__ = "approval_stages"

    id: Mapped[BigId]
    workflow_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_workflows.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(16))
    needed: Mapped[int] = mapped_column(SmallInteger)
    first_answer_counts: Mapped[bool] = mapped_column(Boolean)
    due_in_minutes: Mapped[int] = mapped_column(Integer)
    ladder: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    in_working_time: Mapped[bool] = mapped_column(Boolean, server_default="false", default=False)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, server_default="")

    __table_args__ = (
        CheckConstraint(_one_of("status", StageStatus), name="status"),
        Index("ix_approval_stages_workflow", "workflow_id", "position"),
    )


class ApprovalStep(Base):
    """One person's part in a stage. `urgency` (4 is critical) and the subject are copied here for the queue.

    `timer_at` is when something happens by itself (a reminder, somebody further up); nothing does while it is NULL.
    `seen_at` is when somebody who may decide it first opened it, `confirmed_by` with what who decided confirmed that it is
    them.
    """

    __tablename__ = "approval_steps"

    id: Mapped[BigId]
    workflow_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_workflows.id", ondelete="CASCADE"))
    stage_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_stages.id", ondelete="CASCADE"))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    urgency: Mapped[int] = mapped_column(SmallInteger)
    seat: Mapped[int] = mapped_column(SmallInteger)
    step_order: Mapped[int] = mapped_column(SmallInteger)
    approver_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    requested_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    info_requested_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    decided_version: Mapped[int | None] = mapped_column(Integer)
    confirmed_by: Mapped[str | None] = mapped_column(String(40))
    comments: Mapped[str] = mapped_column(Text, server_default="")
    timer_at: Mapped[datetime | None]
    reminders: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    climbs: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    seen_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_one_of("status", StepStatus), name="status"),
        Index("ix_approval_steps_timer", "timer_at", "id", postgresql_where=text("timer_at IS NOT NULL")),
        Index("ix_approval_steps_workflow", "workflow_id", "seat", "id"),
        Index(
            "ix_approval_steps_queue",
            "approver_id",
            text("urgency DESC"),
            "due_at",
            "id",
            postgresql_where=text("status IN ('PENDING', 'INFO_REQUESTED')"),
        ),
        Index("ix_approval_steps_approver", "approver_id", "subject_type", "subject_id"),
        Index("ix_approval_steps_subject", "subject_type", "subject_id", "approver_id"),
        Index(
            "ix_approval_steps_decided_for",
            "decided_by_id",
            "subject_type",
            "subject_id",
            postgresql_where=text("decided_by_id <> approver_id"),
        ),
    )
