"""An index of those who are asked for their approval now, for lists of what waits for somebody.

Locks: none that others wait for; the index is built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0140"
down_revision = "0135"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_report_decisions_waiting", "report_decisions"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
        op.create_index(
            NAME, TABLE, ["approver_id"], postgresql_concurrently=True, postgresql_where=sa.text("is_open")
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)
