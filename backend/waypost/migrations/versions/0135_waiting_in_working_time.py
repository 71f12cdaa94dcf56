"""Facts gain how much of a request's waiting was working time: for approval, and for who asked.

What was counted before is looked at again by the worker, request by request, while it can be read; sums stay as they are.
Locks: `report_facts`, for a moment; the columns are empty at first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0135"
down_revision = "0132"
branch_labels = None
depends_on = None

COLUMNS = ("approval_worked", "requester_worked")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("report_facts", sa.Column(name, sa.BigInteger()))
    # -1 is a making from nothing that goes on, and comes to all of them
    op.execute(
        "UPDATE report_position SET rebuild_next = 0, rebuild_last = (SELECT coalesce(max(id), 0) FROM tickets),"
        " rebuilt_at = NULL WHERE rebuild_next IS DISTINCT FROM -1"
    )


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("report_facts", name)
