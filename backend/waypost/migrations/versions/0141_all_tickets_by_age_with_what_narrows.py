"""All tickets by age, and by age those of a status and of a type, with what such lists are narrowed to further.

These stand behind the age in the index itself, where they are judged without a look at the ticket: who sees a part of all
tickets meets a page of few fitting ones soon. The first takes the place of `ix_tickets_created`. Locks: none that others wait
for; the indexes are built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0141"
down_revision = "0138"
branch_labels = None
depends_on = None

NEWEST = ("created_at DESC", "id DESC")
INDEXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ix_tickets_newest", (*NEWEST, "priority")),
    ("ix_tickets_status", ("status", *NEWEST, "priority", "assignee_id")),
    ("ix_tickets_type", ("ticket_type", *NEWEST, "priority", "status")),
)
BEFORE = ("ix_tickets_created", NEWEST)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES:
            _make(name, columns)
        op.drop_index(BEFORE[0], "tickets", if_exists=True, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _make(*BEFORE)
        for name, _ in reversed(INDEXES):
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)


def _make(name: str, columns: tuple[str, ...]) -> None:
    op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
    op.create_index(name, "tickets", [sa.text(column) for column in columns], postgresql_concurrently=True)
