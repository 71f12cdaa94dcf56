"""Sums of reports by month beside those by day, for windows of many days; who waits for a decision is no longer kept by day.

Both are made from the sums there are. Locks: `report_sums` for a moment, to widen a column without rewriting it; then
`report_position`'s row, for which the worker doesn't wait: it counts on afterwards. With three million sums it takes a minute.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0119"
down_revision = "0126"
branch_labels = None
depends_on = None

_KEY = "place, place_id, what, day, shade, word, more, bucket"
_MONTHLY = "'resolution', 'response', 'response_net', 'resolve_net', 'decided', 'stage'"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.alter_column("report_sums", "what", type_=sa.String(16), existing_type=sa.String(12))
    op.execute("SELECT 1 FROM report_position FOR UPDATE")
    op.execute(
        f"INSERT INTO report_sums ({_KEY}, n, total)"  # noqa: S608 - words of ours
        " SELECT place, place_id, what || '_m', CAST(date_trunc('month', CAST(day AS timestamp)) AS date) AS month, shade, word,"
        f" more, bucket, sum(n), sum(total) FROM report_sums WHERE what IN ({_MONTHLY})"
        " GROUP BY place, place_id, what, month, shade, word, more, bucket"
    )
    op.execute(
        "WITH gone AS (DELETE FROM report_sums WHERE what = 'waiting' RETURNING *)"
        f" INSERT INTO report_sums ({_KEY}, n, total) SELECT place, place_id, what, DATE '0001-01-01', shade, word, more, bucket,"
        " sum(n), sum(total) FROM gone GROUP BY place, place_id, what, shade, word, more, bucket"
    )


def downgrade() -> None:
    op.execute("DELETE FROM report_sums WHERE what LIKE '%\\_m'")
    op.alter_column("report_sums", "what", type_=sa.String(12), existing_type=sa.String(16))
    op.execute("UPDATE report_position SET rebuild_next = -1, rebuilt_at = NULL")  # by day, who waits is counted anew
