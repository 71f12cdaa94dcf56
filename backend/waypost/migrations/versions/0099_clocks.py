"""Clocks of requests and their timers; what lists show of them, with its indexes.

Locks: the two tables are new, and `tickets` is locked for a moment for their references. `tickets` gets two columns without
a default: its lock is held for a moment, nothing is rewritten. Its indexes are built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0099"
down_revision = "0092"
branch_labels = None
depends_on = None

NEVER_DUE, EVER_DUE = "'9999-12-31 00:00:00+00'::timestamptz", "'-infinity'::timestamptz"
INDEXES: tuple[tuple[str, list[sa.TextClause], str | None], ...] = (
    ("ix_tickets_sla_first", [sa.text(f"coalesce(sla_due_at, {NEVER_DUE})"), sa.text("id")], None),
    ("ix_tickets_sla_last", [sa.text(f"coalesce(sla_due_at, {EVER_DUE}) DESC"), sa.text("id DESC")], None),
    ("ix_tickets_sla_due", [sa.text("sla_due_at")], "sla_due_at IS NOT NULL"),
    ("ix_tickets_sla_state", [sa.text("sla_state"), sa.text("id DESC")], "sla_state IS NOT NULL"),
)


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "sla_clocks",
        sa.Column("ticket_id", sa.BigInteger(), sa.ForeignKey("tickets.id", ondelete="CASCADE"), autoincrement=False),
        sa.Column("metric", sa.String(16)),
        sa.Column("team_id", sa.BigInteger(), autoincrement=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("target_seconds", sa.Double(), nullable=False),
        sa.Column("marks", JSONB(), nullable=False),
        sa.Column("run", sa.String(8), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.Column("used_seconds", sa.Double(), nullable=False),
        sa.Column("due_at", instant, nullable=True),
        sa.Column("breached_at", instant, nullable=True),
        sa.Column("stopped_at", instant, nullable=True),
        sa.Column("reopens", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "metric", "team_id"),
        sa.CheckConstraint("metric IN ('FIRST_RESPONSE', 'NEXT_UPDATE', 'RESOLUTION', 'OWN_TIME')", name="metric"),
        sa.CheckConstraint("run IN ('RUNNING', 'PAUSED', 'STOPPED')", name="run"),
    )
    op.create_index(
        "ix_sla_clocks_active", "sla_clocks", ["policy_id", "ticket_id"], postgresql_where=sa.text("run <> 'STOPPED'")
    )
    op.create_table(
        "sla_timers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("ticket_id", sa.BigInteger(), sa.ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("metric", sa.String(16), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("fires_at", instant, nullable=False),
        sa.Column("fired_at", instant, nullable=True),
        sa.CheckConstraint("kind IN ('WARN', 'BREACH')", name="kind"),
        sa.UniqueConstraint("ticket_id", "metric", "team_id", "percent", "fires_at", name="uq_sla_timers_once"),
    )
    op.create_index(
        "ix_sla_timers_due", "sla_timers", ["fires_at", "ticket_id"], postgresql_where=sa.text("fired_at IS NULL")
    )
    op.add_column("tickets", sa.Column("sla_due_at", instant, nullable=True))
    op.add_column("tickets", sa.Column("sla_state", sa.String(8), nullable=True))
    with op.get_context().autocommit_block():
        for name, columns, where in INDEXES:
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name,
                "tickets",
                columns,
                postgresql_concurrently=True,
                postgresql_where=sa.text(where) if where else None,
            )


def downgrade() -> None:
    op.drop_column("tickets", "sla_state")
    op.drop_column("tickets", "sla_due_at")
    op.drop_table("sla_timers")
    op.drop_table("sla_clocks")
