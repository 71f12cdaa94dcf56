"""Jobs of many tickets.

Locks: new tables only; the foreign key takes SHARE ROW EXCLUSIVE on users for the moment it is added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("action", JSONB(), nullable=False),
        sa.Column("undo_of_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('RUNNING', 'FINISHED')", name=op.f("ck_bulk_jobs_status")),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_bulk_jobs_actor_id")),
        sa.ForeignKeyConstraint(
            ["undo_of_id"], ["bulk_jobs.id"], name=op.f("fk_bulk_jobs_undo_of_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_jobs")),
    )
    op.create_index("ix_bulk_jobs_running", "bulk_jobs", ["id"], postgresql_where=sa.text("status = 'RUNNING'"))
    op.create_index("ix_bulk_jobs_actor", "bulk_jobs", ["actor_id", "id"])
    op.create_index("uq_bulk_jobs_undo", "bulk_jobs", ["undo_of_id"], unique=True)
    op.create_table(
        "bulk_items",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("before", JSONB(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('PENDING', 'DONE', 'FAILED')", name=op.f("ck_bulk_items_status")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["bulk_jobs.id"], name=op.f("fk_bulk_items_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "ticket_id", name=op.f("pk_bulk_items")),
    )
    op.create_index("ix_bulk_items_position", "bulk_items", ["job_id", "status", "position"])


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_jobs")
