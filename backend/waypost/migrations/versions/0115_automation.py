"""Automation rules with their versions, their log, what is due over time, and calls of other systems; comments by rules.

Locks: the tables are new; `users` and `tickets` are locked for a moment against changes of their keys, for the
references. `ticket_comments` is locked for a moment: a column comes that may be empty, and an author is no longer needed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0115"
down_revision = "0111"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.add_column("ticket_comments", sa.Column("by_rule", sa.String(100), nullable=True))
    op.alter_column("ticket_comments", "author_id", nullable=True)
    op.create_table(
        "automation_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("field_kinds", JSONB(), nullable=False),
        sa.Column("reaches_confidential", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("since", at, nullable=False),
        sa.Column("planned_to", sa.BigInteger(), nullable=True),
        sa.Column("alarmed_at", at, nullable=True),
        sa.Column("created_at", at, nullable=False),
        sa.Column("updated_at", at, nullable=False),
    )
    op.create_index("ix_automation_rules_order", "automation_rules", ["position", "id"])
    op.create_index("ix_automation_rules_author", "automation_rules", ["author_id"])
    op.create_table(
        "automation_rule_versions",
        sa.Column(
            "rule_id",
            sa.BigInteger(),
            sa.ForeignKey("automation_rules.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("changed_at", at, nullable=False),
    )
    op.create_index("ix_automation_rule_versions_changed_by", "automation_rule_versions", ["changed_by_id"])
    op.create_table(
        "automation_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("rule_name", sa.String(100), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), sa.ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("trigger", sa.String(24), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("why", JSONB(), nullable=False),
        sa.Column("actions", JSONB(), nullable=False),
        sa.Column("chain", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("reason", sa.String(500), server_default="", nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("at", at, nullable=False),
        sa.CheckConstraint("outcome IN ('DONE', 'REFUSED', 'NOT_HELD', 'STOPPED', 'FAILED')", name="outcome"),
    )
    op.create_index("uq_automation_runs_cause", "automation_runs", ["rule_id", "ticket_id", "cause"], unique=True)
    op.create_index("ix_automation_runs_rule", "automation_runs", ["rule_id", "id"])
    op.create_index(
        "ix_automation_runs_fired",
        "automation_runs",
        ["rule_id", "id"],
        postgresql_where=sa.text("outcome <> 'NOT_HELD'"),
    )
    op.create_index("ix_automation_runs_ticket", "automation_runs", ["ticket_id", "id"])
    op.create_index("ix_automation_runs_at", "automation_runs", ["at"])
    op.create_table(
        "automation_due",
        sa.Column(
            "rule_id",
            sa.BigInteger(),
            sa.ForeignKey("automation_rules.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column(
            "ticket_id",
            sa.BigInteger(),
            sa.ForeignKey("tickets.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("anchor", at, nullable=False),
        sa.Column("due_at", at, nullable=False),
        sa.Column("done_at", at, nullable=True),
    )
    op.create_index("ix_automation_due_due", "automation_due", ["due_at"], postgresql_where=sa.text("done_at IS NULL"))
    op.create_index("ix_automation_due_ticket", "automation_due", ["ticket_id"])
    op.create_table(
        "automation_calls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "rule_id", sa.BigInteger(), sa.ForeignKey("automation_rules.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("ticket_id", sa.BigInteger(), sa.ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_at", at, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", at, nullable=False),
        sa.Column("finished_at", at, nullable=True),
        sa.CheckConstraint("status IN ('WAITING', 'DONE', 'FAILED')", name="status"),
    )
    op.create_index(
        "ix_automation_calls_due", "automation_calls", ["next_at"], postgresql_where=sa.text("status = 'WAITING'")
    )
    op.create_index("ix_automation_calls_rule", "automation_calls", ["rule_id", "id"])
    op.create_index("ix_automation_calls_ticket", "automation_calls", ["ticket_id"])
    op.create_index(
        "ix_automation_calls_finished",
        "automation_calls",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.execute(
        "INSERT INTO role_permissions (role_id, permission, scope)"
        " SELECT id, 'automation:configure', 9 FROM roles WHERE key = 'admin' ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_permissions WHERE permission = 'automation:configure'")
    for table in ("calls", "due", "runs", "rule_versions", "rules"):
        op.drop_table(f"automation_{table}")
    op.execute("DELETE FROM ticket_comments WHERE author_id IS NULL")
    op.alter_column("ticket_comments", "author_id", nullable=False)
    op.drop_column("ticket_comments", "by_rule")
