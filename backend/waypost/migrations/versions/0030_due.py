"""People are told of a due date that comes near, and of one that is over: once each.

Locks: two nullable columns (a moment's lock, no rewrite); the indexes are built CONCURRENTLY, outside of a transaction, and
one that broke off is replaced when the migration runs again; rows are marked in batches of 2,000. What is late already when this runs is not told of: the past
is nobody's news.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

RUNS = (
    "status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED') AND status <> 'PENDING_INFO' AND due_date IS NOT NULL"
)
INDEXES = {
    "ix_tickets_unwarned": f"{RUNS} AND warned_for IS DISTINCT FROM due_date",
    "ix_tickets_untold_late": f"{RUNS} AND late_told_for IS DISTINCT FROM due_date",
}

PAST = f"""
    UPDATE tickets SET late_told_for = due_date WHERE id IN (
        SELECT id FROM tickets WHERE {INDEXES["ix_tickets_untold_late"]} AND due_date <= now() LIMIT 2000 FOR UPDATE)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE tickets ADD COLUMN IF NOT EXISTS warned_for timestamptz")
    op.execute("ALTER TABLE tickets ADD COLUMN IF NOT EXISTS late_told_for timestamptz")
    with op.get_context().autocommit_block():
        for name, which in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON tickets (due_date) WHERE {which}")
        while op.get_bind().execute(text(PAST)).rowcount:
            pass


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("ALTER TABLE tickets DROP COLUMN IF EXISTS warned_for, DROP COLUMN IF EXISTS late_told_for")
