"""The delivery log is looked through by channel, kind, request, time and words.

Locks: none that anybody waits for; the indexes are built CONCURRENTLY, outside of a transaction, and one that broke off
is replaced when the migration runs again.
"""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "notification_deliveries"
INDEXES = {
    "ix_notification_deliveries_channel": "(channel, id DESC)",
    "ix_notification_deliveries_kind": "(kind, id DESC)",
    "ix_notification_deliveries_ticket": "((words ->> 'ticket_id'), id DESC)",
    "ix_notification_deliveries_created": "(created_at)",
    "ix_notification_deliveries_text": "USING gin (waypost_fold(subject || ' ' || recipient) gin_trgm_ops)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, what in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {TABLE} {what}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
