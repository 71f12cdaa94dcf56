"""Why somebody is away stands sealed: such reasons are often about health, and nobody reads them in the database.

Locks: `absences` gets a column without a default and loses one (its lock is held for a moment each); what stands in the
old one is sealed batch by batch in between, with the installation's key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from waypost.kernel.sealing import open_text, seal_text

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
ABOUT = "absences.reason"
BATCH = 1000


def _change_over(read: str, write: str, change) -> None:  # type: ignore[no-untyped-def]
    connection, last = op.get_bind(), 0
    rows = sa.text(f"SELECT id, {read} FROM absences WHERE id > :last ORDER BY id LIMIT {BATCH}")  # noqa: S608
    while found := connection.execute(rows, {"last": last}).all():
        filled = [{"id": i, "value": change(value)} for i, value in found if value]
        if filled:
            connection.execute(sa.text(f"UPDATE absences SET {write} = :value WHERE id = :id"), filled)  # noqa: S608
        last = found[-1][0]


def upgrade() -> None:
    op.add_column("absences", sa.Column("sealed_reason", sa.LargeBinary(), nullable=True))
    _change_over("reason", "sealed_reason", lambda text: seal_text(text, ABOUT))
    op.drop_column("absences", "reason")


def downgrade() -> None:
    op.add_column("absences", sa.Column("reason", sa.String(200), server_default="", nullable=False))
    _change_over("sealed_reason", "reason", lambda kept: open_text(bytes(kept), ABOUT))
    op.drop_column("absences", "sealed_reason")
