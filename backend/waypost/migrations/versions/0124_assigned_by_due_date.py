"""Indexes of what somebody is assigned by due date and by service level, and of their open work by due date.

The last one takes the place of one without an order. Locks: none that others wait for; the indexes are built beside the work
going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0124"
down_revision = "0119"
branch_labels = None
depends_on = None

NEVER_DUE, EVER_DUE = "'9999-12-31 00:00:00+00'::timestamptz", "'-infinity'::timestamptz"
ASSIGNED = "assignee_id IS NOT NULL"
UNFINISHED = "status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED')"
INDEXES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("ix_tickets_assignee_due_first", ("assignee_id", f"coalesce(due_date, {NEVER_DUE})", "id"), ASSIGNED),
    ("ix_tickets_assignee_due_last", ("assignee_id", f"coalesce(due_date, {EVER_DUE}) DESC", "id DESC"), ASSIGNED),
    ("ix_tickets_assignee_sla_first", ("assignee_id", f"coalesce(sla_due_at, {NEVER_DUE})", "id"), ASSIGNED),
    ("ix_tickets_assignee_sla_last", ("assignee_id", f"coalesce(sla_due_at, {EVER_DUE}) DESC", "id DESC"), ASSIGNED),
    ("ix_tickets_assignee_open_due", ("assignee_id", f"coalesce(due_date, {NEVER_DUE})", "id"), UNFINISHED),
)
BEFORE = "ix_tickets_load"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns, where in INDEXES:
            _make(name, columns, where)
        op.drop_index(BEFORE, "tickets", if_exists=True, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _make(BEFORE, ("assignee_id",), UNFINISHED)
        for name, _, _ in reversed(INDEXES):
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)


def _make(name: str, columns: tuple[str, ...], where: str) -> None:
    op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
    op.create_index(
        name,
        "tickets",
        [sa.text(column) for column in columns],
        postgresql_concurrently=True,
        postgresql_where=sa.text(where),
    )
