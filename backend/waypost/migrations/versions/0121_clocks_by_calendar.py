"""Clocks by their calendar: whether one may be removed is asked without looking at all of them.

Locks: an index only, built concurrently; writing goes on. One that was interrupted is built anew.
"""

from __future__ import annotations

from alembic import op

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None

INDEX = "ix_sla_clocks_calendar"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON sla_clocks (calendar_id, ticket_id)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
