"""Everybody who changed what is judged of a ticket, not the last of them alone: none of them decides it.

Locks: the new column has a constant default, so tickets are locked for a moment only and not written again. Who edited
last is carried over in batches of ids, each a transaction of its own; then the old column goes, again in a moment.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BATCH = 20_000


def _in_batches(statement: str) -> None:
    highest = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM tickets")).scalar_one()
    for start in range(0, highest, BATCH):
        op.get_bind().execute(sa.text(statement), {"after": start, "until": start + BATCH})


def upgrade() -> None:
    op.execute("ALTER TABLE tickets ADD COLUMN IF NOT EXISTS edited_by_ids bigint[] NOT NULL DEFAULT '{}'")
    with op.get_context().autocommit_block():
        _in_batches(
            "UPDATE tickets SET edited_by_ids = ARRAY[edited_by_id]"
            " WHERE id > :after AND id <= :until AND edited_by_id IS NOT NULL AND edited_by_ids = '{}'"
        )
    op.drop_column("tickets", "edited_by_id")


def downgrade() -> None:
    op.execute("ALTER TABLE tickets ADD COLUMN IF NOT EXISTS edited_by_id bigint")
    with op.get_context().autocommit_block():
        _in_batches(
            "UPDATE tickets SET edited_by_id = edited_by_ids[cardinality(edited_by_ids)]"
            " WHERE id > :after AND id <= :until AND edited_by_ids <> '{}'"
        )
    op.execute(
        "ALTER TABLE tickets ADD CONSTRAINT fk_tickets_edited_by_id"
        " FOREIGN KEY (edited_by_id) REFERENCES users (id) NOT VALID"
    )
    op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT fk_tickets_edited_by_id")
    op.drop_column("tickets", "edited_by_ids")
