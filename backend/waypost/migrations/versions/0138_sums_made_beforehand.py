"""Sums of one person's own may be made before they look: for whom this is so, and when it was last looked for them.

Locks: `report_readers` and `report_position`, for a moment each.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0138"
down_revision = "0140"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "report_readers", sa.Column("is_foreseen", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("report_position", sa.Column("foreseen_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("report_position", "foreseen_at")
    op.drop_column("report_readers", "is_foreseen")
