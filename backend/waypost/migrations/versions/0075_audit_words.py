"""The trail is looked through by words: an index over three letters each of what an entry says.

Locks: none that anybody waits for; the index is built CONCURRENTLY, outside of a transaction (300,000 rows: 17 seconds, and
about as large as they are), and one that broke off is replaced when the migration runs again.
"""

from __future__ import annotations

from alembic import op

revision = "0075"
down_revision = "0083"
branch_labels = None
depends_on = None

NAME = "ix_events_words"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {NAME} ON events USING gin (waypost_fold(data::text) gin_trgm_ops)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
