"""What is kept so that questions over many tickets need not look at them: facts, one narrow row a ticket, and their sums.

All of it follows from tickets, approvals and the event log (`keeping.py`) and can be thrown away and made again.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base
from waypost.kernel.events import Xid8

# the words of a partial index, and of the statement that empties it
EMPTY = "n = 0 AND total = 0"
REMOVE_EMPTY = f"DELETE FROM report_sums WHERE {EMPTY}"  # noqa: S608


class ReportFact(Base):
    """A ticket as reports count it: by what is it counted, who sees it, and how long what took (seconds).

    `approval_seconds`, `work_seconds` and `requester_seconds` are the times it has waited for approval, been with the team
    and waited for its requester, as far as they are over. What the clocks of its service level say, where it has one and
    they are over: `answered_at` when first response's stopped, `response_kept` whether in time, `response_worked` and
    `resolution_worked` the working time (seconds) until then. Where it has one at all, `approval_worked` and
    `requester_worked` are what of its waiting fell into working time, by its calendar.
    """

    __tablename__ = "report_facts"

    ticket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket_type: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    priority: Mapped[str] = mapped_column(String(16))
    requester_id: Mapped[int] = mapped_column(BigInteger)
    created_by_id: Mapped[int] = mapped_column(BigInteger)
    assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    team_id: Mapped[int | None] = mapped_column(BigInteger)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    is_confidential: Mapped[bool] = mapped_column(Boolean)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    was_kept: Mapped[bool | None] = mapped_column(Boolean)
    approval_seconds: Mapped[int] = mapped_column(BigInteger)
    work_seconds: Mapped[int] = mapped_column(BigInteger)
    requester_seconds: Mapped[int] = mapped_column(BigInteger)
    reopened: Mapped[int] = mapped_column(Integer)
    sla_state: Mapped[str | None] = mapped_column(String(8))
    answered_at: Mapped[datetime | None]
    response_worked: Mapped[int | None] = mapped_column(BigInteger)
    response_kept: Mapped[bool | None] = mapped_column(Boolean)
    resolution_worked: Mapped[int | None] = mapped_column(BigInteger)
    approval_worked: Mapped[int | None] = mapped_column(BigInteger)
    requester_worked: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_report_facts_requester", "requester_id"),
        Index("ix_report_facts_assignee", "assignee_id"),
        Index("ix_report_facts_team", "team_id", "created_at"),
        Index("ix_report_facts_department", "department_id", "created_at"),
        Index("ix_report_facts_created", "created_at"),
        # for lists of what a number counts (`list_fields.py`), wherever these stand in the list
        Index("ix_report_facts_responded", "responded_at", postgresql_where=text("responded_at IS NOT NULL")),
        Index("ix_report_facts_answered", "answered_at", postgresql_where=text("answered_at IS NOT NULL")),
        Index("ix_report_facts_late", "ticket_id", postgresql_where=text("NOT was_kept")),
        Index("ix_report_facts_late_response", "ticket_id", postgresql_where=text("NOT response_kept")),
        Index("ix_report_facts_confidential", "ticket_id", postgresql_where=text("is_confidential")),
        Index(
            "ix_report_facts_made_for_others",
            "created_by_id",
            postgresql_where=text("created_by_id <> requester_id"),
        ),
    )


class ReportDecision(Base):
    """An approver's part in a stage: since when they are or were asked, and until when."""

    __tablename__ = "report_decisions"

    step_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(BigInteger)
    approver_id: Mapped[int] = mapped_column(BigInteger)
    stage: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    is_open: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        Index("ix_report_decisions_ticket", "ticket_id"),
        # for lists of what waits for somebody
        Index("ix_report_decisions_waiting", "approver_id", postgresql_where=text("is_open")),
    )


class ReportSum(Base):
    """How often something is so (`what`, with its words) in a place, and the total of its seconds.

    A place is everything (`A`, 0), a team (`T`), a department (`D`) or what one person has to do with (`P`, for those in
    `ReportReader`). `shade` says which tickets: 0 sent and open to those
    above, 1 drafts, 2 sent and confidential, 3 confidential drafts. `day` is in UTC; 0001-01-01 where there is none. A `what`
    that ends in `_m` is the same sum of a month, and `day` its first.
    """

    __tablename__ = "report_sums"

    place: Mapped[str] = mapped_column(String(1), primary_key=True)
    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    shade: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Text, primary_key=True)
    more: Mapped[str] = mapped_column(Text, primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("place IN ('A', 'T', 'D', 'P')", name="place"),
        Index("ix_report_sums_empty", "place", postgresql_where=text(EMPTY)),
    )


class ReportReader(Base):
    """Somebody for whom sums of what they have to do with are kept, for it is too much to count when they look.

    What they have to do with follows from the teams, people and departments named here (`cells.has_to_do_with`). `is_stale`:
    they have others by now, or the sums are of no use any more; it is seen to by the worker. Requests up to `counted_to` are in
    the sums: 0 before it begins. `is_foreseen`: they are known to see very much, so sums are kept whether they look or not.
    """

    __tablename__ = "report_readers"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    team_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    report_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    department_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    counted_to: Mapped[int] = mapped_column(BigInteger)
    is_stale: Mapped[bool] = mapped_column(Boolean)
    read_at: Mapped[datetime]
    is_foreseen: Mapped[bool] = mapped_column(Boolean, server_default="false")


class ReportPosition(Base):
    """How far the event log is counted: one row. While facts are made anew, `rebuild_next` is the ticket they come to.

    `foreseen_at` is when it was last looked for whom to make sums of their own.
    """

    __tablename__ = "report_position"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    txid: Mapped[int] = mapped_column(Xid8())
    event_id: Mapped[int] = mapped_column(BigInteger)
    followed_at: Mapped[datetime]
    rebuild_next: Mapped[int | None] = mapped_column(BigInteger)
    rebuild_last: Mapped[int] = mapped_column(BigInteger)
    rebuilt_at: Mapped[datetime | None]
    foreseen_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("id = 1", name="one"),)
