"""Sums of one person's own, for those who see too much to count it when they look.

Locks: `report_sums`, for a moment: the check of its places is widened, and looked through afterwards without a lock that
keeps others out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0130"
down_revision = "0131"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_readers",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("report_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("department_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("counted_to", sa.BigInteger(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_report_readers")),
    )
    op.execute("ALTER TABLE report_sums DROP CONSTRAINT ck_report_sums_place")
    op.execute(
        "ALTER TABLE report_sums ADD CONSTRAINT ck_report_sums_place CHECK (place IN ('A', 'T', 'D', 'P')) NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE report_sums VALIDATE CONSTRAINT ck_report_sums_place")


def downgrade() -> None:
    op.execute("DELETE FROM report_sums WHERE place = 'P'")
    op.execute("ALTER TABLE report_sums DROP CONSTRAINT ck_report_sums_place")
    op.execute("ALTER TABLE report_sums ADD CONSTRAINT ck_report_sums_place CHECK (place IN ('A', 'T', 'D'))")
    op.drop_table("report_readers")
