"""Orders and searches of those who see everything: by urgency, by due date, by words in forms.

Locks: indexes only, built concurrently one after another; writing goes on. One that was interrupted is built anew.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_urgency": "(urgency DESC, id DESC)",
    "ix_tickets_due_first": "(coalesce(due_date, '9999-12-31 00:00:00+00'::timestamptz), id)",
    "ix_tickets_due_last": "(coalesce(due_date, '-infinity'::timestamptz) DESC, id DESC)",
    "ix_tickets_custom_text": "USING gin (waypost_fold(custom_fields::text) gin_trgm_ops)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON tickets {columns}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in reversed(INDEXES):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
