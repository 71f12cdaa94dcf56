"""A service level's newest version, applied to running requests: how far a run came, and what it came to.

Locks: the table is new; `users` and `sla_policies` are locked for a moment against changes of their keys, for the
references.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0126"
down_revision = "0128"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "sla_level_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "policy_id", sa.BigInteger(), sa.ForeignKey("sla_policies.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("limited_to", ARRAY(sa.Text()), nullable=True),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("last_ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("examples", JSONB(), nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("finished_at", at, nullable=True),
        sa.Column("stopped_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=True),
        sa.CheckConstraint("status IN ('RUNNING', 'FINISHED', 'STOPPED', 'OVERTAKEN', 'REVOKED')", name="status"),
    )
    running, trial = sa.text("status = 'RUNNING'"), sa.text("is_trial")
    op.create_index(
        "uq_sla_level_runs_one",
        "sla_level_runs",
        ["policy_id"],
        unique=True,
        postgresql_where=sa.text("status = 'RUNNING' AND NOT is_trial"),
    )
    op.create_index("ix_sla_level_runs_running", "sla_level_runs", ["id"], postgresql_where=running)
    op.create_index(
        "ix_sla_level_runs_policy", "sla_level_runs", ["policy_id", "id"], postgresql_where=sa.text("NOT is_trial")
    )
    op.create_index("ix_sla_level_runs_trials", "sla_level_runs", ["actor_id", "policy_id"], postgresql_where=trial)
    op.create_index("ix_sla_level_runs_actor", "sla_level_runs", ["actor_id"])
    op.create_index(
        "ix_sla_level_runs_stopped_by",
        "sla_level_runs",
        ["stopped_by_id"],
        postgresql_where=sa.text("stopped_by_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("sla_level_runs")
