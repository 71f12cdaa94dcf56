"""A change of many people can be taken back: what each of them had before, and which job takes back which.

Locks: both tables get a column that may be empty, for a moment and without a rewrite. The index and the reference are on
a table of at most a month's jobs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0093"
down_revision = "0115"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people_job_items", sa.Column("before", JSONB(), nullable=True))
    op.add_column("people_jobs", sa.Column("undo_of_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        "fk_people_jobs_undo_of_id",
        "people_jobs",
        "people_jobs",
        ["undo_of_id"],
        ["id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE people_jobs VALIDATE CONSTRAINT fk_people_jobs_undo_of_id")
    op.create_index(
        "uq_people_jobs_undo_of",
        "people_jobs",
        ["undo_of_id"],
        unique=True,
        postgresql_where=sa.text("undo_of_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("people_jobs", "undo_of_id")
    op.drop_column("people_job_items", "before")
