"""A team's and a person's tickets by age, and a team's unfinished ones, with what lists are narrowed to and queues count.

The first two take the places of those without. What a list asks of a ticket then stands in the index itself, as long as vacuum
has passed; so it passes more often. Locks: none that others wait for; the indexes are built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0134"
down_revision = "0130"
branch_labels = None
depends_on = None

UNFINISHED = "status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED')"
NEWEST = ("created_at DESC", "id DESC")
INDEXES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str | None], ...] = (
    ("ix_tickets_team_newest", ("team_id", *NEWEST), ("status", "priority", "ticket_type", "assignee_id"), None),
    ("ix_tickets_assignee_newest", ("assignee_id", *NEWEST), ("status", "priority", "ticket_type", "team_id"), None),
    ("ix_tickets_team_waiting", ("team_id", "status"), ("assignee_id", "due_date"), UNFINISHED),
)
BEFORE = (("ix_tickets_team", ("team_id", *NEWEST)), ("ix_tickets_assignee", ("assignee_id", *NEWEST)))


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns, include, where in INDEXES:
            _make(name, columns, include, where)
        for name, _ in BEFORE:
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)
        op.execute(
            "ALTER TABLE tickets SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE tickets RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)")
        for name, columns in BEFORE:
            _make(name, columns, (), None)
        for name, *_ in reversed(INDEXES):
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)


def _make(name: str, columns: tuple[str, ...], include: tuple[str, ...], where: str | None) -> None:
    op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
    op.create_index(
        name,
        "tickets",
        [sa.text(column) for column in columns],
        postgresql_concurrently=True,
        postgresql_include=list(include),
        postgresql_where=None if where is None else sa.text(where),
    )
