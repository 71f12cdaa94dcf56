"""Changes of many people at once, and what became of each of them.

Locks: the tables are new; `users` is locked for a moment against changes of its keys, for the references.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0083"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("actor_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("action", JSONB(), nullable=False),
        sa.Column("limited_to", ARRAY(sa.Text()), nullable=True),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('RUNNING', 'FINISHED')", name="status"),
    )
    op.create_index("ix_people_jobs_running", "people_jobs", ["id"], postgresql_where=sa.text("status = 'RUNNING'"))
    op.create_index("ix_people_jobs_actor", "people_jobs", ["actor_id", "id"])
    op.create_table(
        "people_job_items",
        sa.Column("job_id", sa.BigInteger(), sa.ForeignKey("people_jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name="status"),
    )
    op.create_index("ix_people_job_items_position", "people_job_items", ["job_id", "status", "position"])
    op.create_index("ix_people_job_items_user", "people_job_items", ["user_id"])


def downgrade() -> None:
    for table in ("people_job_items", "people_jobs"):
        op.drop_table(table)
