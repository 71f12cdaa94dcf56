"""Tickets, their comments and files."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.tickets.lifecycle import Priority, Status

# The words of partial indexes; a statement uses one only when it says the same, in so many words.
WORKABLE = "status IN ('APPROVED', 'IN_PROGRESS')"
UNFINISHED = "status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED')"
ASSIGNED = "assignee_id IS NOT NULL"
# Whose clock runs, and who was not told yet of the due date as it is now.
_RUNS = f"{UNFINISHED} AND status <> 'PENDING_INFO' AND due_date IS NOT NULL"
UNWARNED = f"{_RUNS} AND warned_for IS DISTINCT FROM due_date"
UNTOLD_LATE = f"{_RUNS} AND late_told_for IS DISTINCT FROM due_date"
# asyncpg sends the first instant of Python's calendar as -infinity
NEVER_DUE, EVER_DUE = "'9999-12-31 00:00:00+00'::timestamptz", "'-infinity'::timestamptz"
# every text of a ticket that conditions look into, for what contains one or two letters
PAIRS = "waypost_letters(ticket_number::text, title::text, ticket_type::text, currency::text, custom_fields)"
_NEWEST = (text("created_at DESC"), text("id DESC"))
_RANK = "CASE priority WHEN 'CRITICAL' THEN 4 WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 ELSE 1 END"


class Ticket(Base):
    """A request. `version` rises with every change; `round` with every submission."""

    __tablename__ = "tickets"

    id: Mapped[BigId]
    ticket_number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, server_default="")
    ticket_type_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_types.id"))
    ticket_type: Mapped[str] = mapped_column(String(64))
    form_version: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    priority: Mapped[str] = mapped_column(String(16))
    urgency: Mapped[int] = mapped_column(SmallInteger, Computed(_RANK, persisted=True))
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(String(3))
    requester_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    edited_by_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}", default=list)
    assignee_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id"))
    department_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("departments.id"))
    due_date: Mapped[datetime | None]
    warned_for: Mapped[datetime | None]  # the due date of which people were told that it comes near
    late_told_for: Mapped[datetime | None]  # and that it is over
    # what its clocks say, for lists: the next due moment, and how they stand (`sla.measuring.summary`)
    sla_due_at: Mapped[datetime | None]
    sla_state: Mapped[str | None] = mapped_column(String(8))
    custom_fields: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]", default=list)
    is_confidential: Mapped[bool] = mapped_column(Boolean, server_default="false", default=False)
    checklist_done: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    checklist_total: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    merged_into_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tickets.id"))
    version: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer, server_default="0")
    comment_count: Mapped[int] = mapped_column(Integer, server_default="0")
    internal_comment_count: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s.value) for s in Status)})", name="status"),
        CheckConstraint(f"priority IN ({', '.join(repr(p.value) for p in Priority)})", name="priority"),
        CheckConstraint("amount IS NULL OR (amount >= 0 AND currency IS NOT NULL)", name="amount"),
        # behind the age stands what lists are narrowed to further: it is judged without a look at the ticket
        Index("ix_tickets_newest", *_NEWEST, "priority"),
        Index("ix_tickets_status", "status", *_NEWEST, "priority", "assignee_id"),
        Index("ix_tickets_type", "ticket_type", *_NEWEST, "priority", "status"),
        Index("ix_tickets_requester", "requester_id", *_NEWEST),
        # with what lists are narrowed to most: one of few fitting tickets is found without a look at the others
        Index(
            "ix_tickets_assignee_newest",
            "assignee_id",
            *_NEWEST,
            postgresql_include=["status", "priority", "ticket_type", "team_id"],
        ),
        Index("ix_tickets_team_status", "team_id", "status", *_NEWEST),
        Index(
            "ix_tickets_team_newest",
            "team_id",
            *_NEWEST,
            postgresql_include=["status", "priority", "ticket_type", "assignee_id"],
        ),
        Index(
            "ix_tickets_team_waiting",
            "team_id",
            "status",
            postgresql_include=["assignee_id", "due_date"],
            postgresql_where=text(UNFINISHED),
        ),
        Index("ix_tickets_department", "department_id", *_NEWEST),
        Index("ix_tickets_updated", text("updated_at DESC"), text("id DESC")),
        Index("ix_tickets_urgency", text("urgency DESC"), text("id DESC")),
        # tickets without a due date stand last in both orders
        Index("ix_tickets_due_first", text(f"coalesce(due_date, {NEVER_DUE})"), "id"),
        Index("ix_tickets_due_last", text(f"coalesce(due_date, {EVER_DUE}) DESC"), text("id DESC")),
        Index("ix_tickets_sla_first", text(f"coalesce(sla_due_at, {NEVER_DUE})"), "id"),
        Index("ix_tickets_sla_last", text(f"coalesce(sla_due_at, {EVER_DUE}) DESC"), text("id DESC")),
        # the same of one team, and of what is open: what is over would stand before it
        Index("ix_tickets_team_due_first", "team_id", text(f"coalesce(due_date, {NEVER_DUE})"), "id"),
        Index("ix_tickets_team_due_last", "team_id", text(f"coalesce(due_date, {EVER_DUE}) DESC"), text("id DESC")),
        Index("ix_tickets_team_sla_first", "team_id", text(f"coalesce(sla_due_at, {NEVER_DUE})"), "id"),
        Index("ix_tickets_team_sla_last", "team_id", text(f"coalesce(sla_due_at, {EVER_DUE}) DESC"), text("id DESC")),
        Index("ix_tickets_open_due", text(f"coalesce(due_date, {NEVER_DUE})"), "id", postgresql_where=text(UNFINISHED)),
        Index(
            "ix_tickets_team_open_due",
            "team_id",
            text(f"coalesce(due_date, {NEVER_DUE})"),
            "id",
            postgresql_where=text(UNFINISHED),
        ),
        # and of one person: who works much is assigned tens of thousands in time
        Index(
            "ix_tickets_assignee_due_first",
            "assignee_id",
            text(f"coalesce(due_date, {NEVER_DUE})"),
            "id",
            postgresql_where=text(ASSIGNED),
        ),
        Index(
            "ix_tickets_assignee_due_last",
            "assignee_id",
            text(f"coalesce(due_date, {EVER_DUE}) DESC"),
            text("id DESC"),
            postgresql_where=text(ASSIGNED),
        ),
        Index(
            "ix_tickets_assignee_sla_first",
            "assignee_id",
            text(f"coalesce(sla_due_at, {NEVER_DUE})"),
            "id",
            postgresql_where=text(ASSIGNED),
        ),
        Index(
            "ix_tickets_assignee_sla_last",
            "assignee_id",
            text(f"coalesce(sla_due_at, {EVER_DUE}) DESC"),
            text("id DESC"),
            postgresql_where=text(ASSIGNED),
        ),
        Index(
            "ix_tickets_assignee_open_due",
            "assignee_id",
            text(f"coalesce(due_date, {NEVER_DUE})"),
            "id",
            postgresql_where=text(UNFINISHED),
        ),
        Index("ix_tickets_sla_due", "sla_due_at", postgresql_where=text("sla_due_at IS NOT NULL")),
        Index("ix_tickets_sla_state", "sla_state", text("id DESC"), postgresql_where=text("sla_state IS NOT NULL")),
        Index("ix_tickets_team_updated", "team_id", text("updated_at DESC"), text("id DESC")),
        Index("ix_tickets_team_urgency", "team_id", text("urgency DESC"), text("id DESC")),
        # made for somebody else: few, and found by who made them
        Index(
            "ix_tickets_made_for_others",
            "created_by_id",
            *_NEWEST,
            postgresql_where=text("created_by_id <> requester_id"),
        ),
        Index("ix_tickets_tags", "tags", postgresql_using="gin", postgresql_ops={"tags": "jsonb_path_ops"}),
        Index("ix_tickets_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        # for conditions that few tickets fulfil, wherever they stand in the list
        Index("ix_tickets_amount", "amount", postgresql_where=text("amount IS NOT NULL")),
        Index("ix_tickets_unwarned", "due_date", postgresql_where=text(UNWARNED)),
        Index("ix_tickets_untold_late", "due_date", postgresql_where=text(UNTOLD_LATE)),
        Index("ix_tickets_due", "due_date", postgresql_where=text("due_date IS NOT NULL")),
        Index("ix_tickets_custom", text("custom_fields jsonb_path_ops"), postgresql_using="gin"),
        Index("ix_tickets_number_text", text("waypost_fold(ticket_number::text) gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_tickets_pairs", text(PAIRS), postgresql_using="gin"),
        Index("ix_tickets_custom_text", text("waypost_fold(custom_fields::text) gin_trgm_ops"), postgresql_using="gin"),
        Index("ix_tickets_title", text("waypost_fold(title::text) gin_trgm_ops"), postgresql_using="gin"),
        Index(
            "ix_tickets_queue",
            "team_id",
            text("urgency DESC"),
            "created_at",
            "id",
            "assignee_id",
            postgresql_where=text(WORKABLE),
        ),
    )


class TicketComment(Base):
    """Something said about a ticket. `INTERNAL` ones are for the team only.

    `version` counts its texts (earlier ones are `CommentVersion`s), `mention_ids` are the people its text names. `channel`
    is what it came by, when that was not the web app. One that an automation rule wrote has the rule's name and no author.
    Of one that was removed a place remains, without words.
    """

    __tablename__ = "ticket_comments"

    id: Mapped[BigId]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    by_rule: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(String(8))
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    mention_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    channel: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("visibility IN ('PUBLIC', 'INTERNAL')", name="visibility"),
        Index("ix_ticket_comments_ticket", "ticket_id", "id"),
    )


class Attachment(Base):
    """A file of a ticket. The bytes lie sealed in the object store, under `object_name`, with a key of their own."""

    __tablename__ = "attachments"
    sealed_columns: ClassVar[tuple[str, str]] = ("wrapped_key", "key_id")

    id: Mapped[BigId]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    uploaded_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    visibility: Mapped[str] = mapped_column(String(8))
    scan: Mapped[str] = mapped_column(String(8))
    scan_attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    scan_at: Mapped[datetime | None]
    object_name: Mapped[str] = mapped_column(String(64), unique=True)
    key_id: Mapped[str] = mapped_column(String(16))
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("visibility IN ('PUBLIC', 'INTERNAL')", name="visibility"),
        CheckConstraint("scan IN ('NONE', 'PENDING', 'CLEAN', 'INFECTED', 'FAILED')", name="scan"),
        Index("ix_attachments_ticket", "ticket_id", "id"),
        Index("ix_attachments_scan", "scan_at", "id", postgresql_where=text("scan = 'PENDING'")),
        Index("ix_attachments_key", "key_id", "id"),
    )

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return self.object_name.encode()


class RequestDraft(Base):
    """A request its owner is still writing: no ticket yet, so it has no number, no history and no other reader.

    `id` is made by the client, so what is written without a connection has its name from the start. Of a type with sensitive
    fields all that was written is `sealed`, and `content` holds its title alone.
    """

    __tablename__ = "request_drafts"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "key_id")

    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    ticket_type: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_id: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("ix_request_drafts_updated", "updated_at"),)

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"request_drafts.sealed:{self.owner_id}:{self.id}".encode()


class BulkJob(Base):
    """One action on many tickets, as somebody asked for it. `undo_of_id` is the job it takes back."""

    __tablename__ = "bulk_jobs"

    id: Mapped[BigId]
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    action: Mapped[dict[str, Any]] = mapped_column(JSONB)
    limited_to: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # the permissions of the token that asked
    undo_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("bulk_jobs.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(8))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('RUNNING', 'FINISHED')", name="status"),
        Index("ix_bulk_jobs_running", "id", postgresql_where=text("status = 'RUNNING'")),
        Index("ix_bulk_jobs_actor", "actor_id", "id"),
        Index("uq_bulk_jobs_undo", "undo_of_id", unique=True),
    )


class BulkItem(Base):
    """One ticket of a job. `before` and `version` say what it was and which version it became, for taking it back."""

    __tablename__ = "bulk_items"

    job_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("bulk_jobs.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(8))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    version: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name="status"),
        Index("ix_bulk_items_position", "job_id", "status", "position"),
    )
