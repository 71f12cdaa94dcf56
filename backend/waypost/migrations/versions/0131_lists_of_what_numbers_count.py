"""Indexes of first responses and of what was late, for lists of exactly what a number of a dashboard counts.

Locks: none that others wait for; the indexes are built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0131"
down_revision = "0129"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_report_facts_responded", "responded_at", "responded_at IS NOT NULL"),
    ("ix_report_facts_answered", "answered_at", "answered_at IS NOT NULL"),
    ("ix_report_facts_late", "ticket_id", "NOT was_kept"),
    ("ix_report_facts_late_response", "ticket_id", "NOT response_kept"),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, column, where in INDEXES:
            # of a run that was broken off
            op.drop_index(name, "report_facts", if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name, "report_facts", [column], postgresql_concurrently=True, postgresql_where=sa.text(where)
            )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, _, _ in reversed(INDEXES):
            op.drop_index(name, "report_facts", if_exists=True, postgresql_concurrently=True)
