"""Facts and sums from which dashboards and reports count, kept up with the event log.

Locks: four new tables, nobody waits. They begin empty: the worker fills them in turns, and dashboards say how far it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from waypost.kernel.events import Xid8

revision = "0110"
down_revision = "0095"
branch_labels = None
depends_on = None
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "report_facts",
        sa.Column("ticket_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("ticket_type", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("requester_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("assignee_id", sa.BigInteger()),
        sa.Column("team_id", sa.BigInteger()),
        sa.Column("department_id", sa.BigInteger()),
        sa.Column("is_confidential", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2)),
        sa.Column("currency", sa.String(3)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT),
        sa.Column("responded_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        sa.Column("was_kept", sa.Boolean()),
        sa.Column("approval_seconds", sa.BigInteger(), nullable=False),
        sa.Column("work_seconds", sa.BigInteger(), nullable=False),
        sa.Column("requester_seconds", sa.BigInteger(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
    )
    for name, columns in (
        ("requester", ["requester_id"]),
        ("assignee", ["assignee_id"]),
        ("team", ["team_id", "created_at"]),
        ("department", ["department_id", "created_at"]),
        ("created", ["created_at"]),
    ):
        op.create_index(f"ix_report_facts_{name}", "report_facts", columns)
    op.create_index(
        "ix_report_facts_confidential", "report_facts", ["ticket_id"], postgresql_where=sa.text("is_confidential")
    )
    op.create_index(
        "ix_report_facts_made_for_others",
        "report_facts",
        ["created_by_id"],
        postgresql_where=sa.text("created_by_id <> requester_id"),
    )
    op.create_table(
        "report_decisions",
        sa.Column("step_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("approver_id", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("is_open", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_report_decisions_ticket", "report_decisions", ["ticket_id"])
    op.create_table(
        "report_sums",
        sa.Column("place", sa.String(1), primary_key=True),
        sa.Column("place_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("what", sa.String(12), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("shade", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("word", sa.Text(), primary_key=True),
        sa.Column("more", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("place IN ('A', 'T', 'D')", name=op.f("ck_report_sums_place")),
    )
    op.create_index(
        "ix_report_sums_empty", "report_sums", ["place"], postgresql_where=sa.text("n = 0 AND total = 0")
    )
    op.create_table(
        "report_position",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("txid", Xid8(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("followed_at", INSTANT, nullable=False),
        sa.Column("rebuild_next", sa.BigInteger()),
        sa.Column("rebuild_last", sa.BigInteger(), nullable=False),
        sa.Column("rebuilt_at", INSTANT),
        sa.CheckConstraint("id = 1", name=op.f("ck_report_position_one")),
    )
    # what was written before is counted ticket by ticket, what comes by its events
    op.execute(
        "INSERT INTO report_position (id, txid, event_id, followed_at, rebuild_next, rebuild_last)"
        " SELECT 1, pg_snapshot_xmin(pg_current_snapshot()), 0, now(), 0, coalesce(max(id), 0) FROM tickets"
    )


def downgrade() -> None:
    for table in ("report_position", "report_sums", "report_decisions", "report_facts"):
        op.drop_table(table)
