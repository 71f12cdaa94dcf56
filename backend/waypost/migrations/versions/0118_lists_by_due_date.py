"""Indexes of a team's tickets by due date and by service level, and of open ones by due date.

Locks: none that others wait for; the indexes are built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0118"
down_revision = "0112"
branch_labels = None
depends_on = None

NEVER_DUE, EVER_DUE = "'9999-12-31 00:00:00+00'::timestamptz", "'-infinity'::timestamptz"
UNFINISHED = "status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED')"
INDEXES: tuple[tuple[str, tuple[str, ...], str | None], ...] = (
    ("ix_tickets_team_due_first", ("team_id", f"coalesce(due_date, {NEVER_DUE})", "id"), None),
    ("ix_tickets_team_due_last", ("team_id", f"coalesce(due_date, {EVER_DUE}) DESC", "id DESC"), None),
    ("ix_tickets_team_sla_first", ("team_id", f"coalesce(sla_due_at, {NEVER_DUE})", "id"), None),
    ("ix_tickets_team_sla_last", ("team_id", f"coalesce(sla_due_at, {EVER_DUE}) DESC", "id DESC"), None),
    ("ix_tickets_open_due", (f"coalesce(due_date, {NEVER_DUE})", "id"), UNFINISHED),
    ("ix_tickets_team_open_due", ("team_id", f"coalesce(due_date, {NEVER_DUE})", "id"), UNFINISHED),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns, where in INDEXES:
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
            op.create_index(
                name,
                "tickets",
                [sa.text(column) for column in columns],
                postgresql_concurrently=True,
                postgresql_where=sa.text(where) if where else None,
            )


def downgrade() -> None:
    for name, _, _ in reversed(INDEXES):
        op.drop_index(name, "tickets")
