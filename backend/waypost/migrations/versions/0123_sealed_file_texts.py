"""The text of files is kept sealed; the worker seals what stands in the open.

Locks: `attachment_texts` is locked for a moment, for a column that may be empty; its new index, of what is still in the
open, is built while people work. The sealing goes on in small batches after the update, and both forms are read meanwhile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0123"
down_revision = "0122"
branch_labels = None
depends_on = None

INDEX = "ix_attachment_texts_open"


def upgrade() -> None:
    op.add_column("attachment_texts", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "attachment_texts", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            INDEX,
            "attachment_texts",
            ["attachment_id"],
            postgresql_concurrently=True,
            postgresql_where=sa.text("text <> ''"),
        )


def downgrade() -> None:
    """What is sealed cannot be opened by the database: those files are read once more."""
    op.execute(
        "UPDATE attachment_texts SET state = 'WAITING', tries = 0, next_at = now() WHERE sealed IS NOT NULL"
    )
    op.drop_index(INDEX, "attachment_texts")
    op.drop_column("attachment_texts", "sealed")
