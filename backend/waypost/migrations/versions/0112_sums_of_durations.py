"""Sums gain durations without buckets: what was counted before is counted anew by the worker.

Locks: one row of `report_position`, for a moment.
"""

from __future__ import annotations

from alembic import op

revision = "0112"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE report_position SET rebuild_next = -1, rebuilt_at = NULL")


def downgrade() -> None:
    op.execute("DELETE FROM report_sums WHERE what = 'took'")
