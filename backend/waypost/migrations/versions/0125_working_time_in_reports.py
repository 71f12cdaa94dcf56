"""Facts gain what the clocks of service levels say: working time until the answer and until it is done, and how it stands.

What was counted before is counted anew by the worker. Locks: `report_facts`, for a moment; the columns are empty at first.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0125"
down_revision = "0121"
branch_labels = None
depends_on = None

_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("sla_state", sa.String(8)),
    sa.Column("answered_at", sa.DateTime(timezone=True)),
    sa.Column("response_worked", sa.BigInteger()),
    sa.Column("response_kept", sa.Boolean()),
    sa.Column("resolution_worked", sa.BigInteger()),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("report_facts", column)
    op.execute("UPDATE report_position SET rebuild_next = -1, rebuilt_at = NULL")


def downgrade() -> None:
    op.execute("DELETE FROM report_sums WHERE what IN ('response_net', 'resolve_net', 'sla')")
    for column in reversed(_COLUMNS):
        op.drop_column("report_facts", column.name)
