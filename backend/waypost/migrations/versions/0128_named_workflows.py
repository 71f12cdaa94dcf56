"""An approval keeps whether its workflow was named for it, instead of found by the workflows' conditions.

Locks: `approval_workflows`, for a moment; the column's default is not written into rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0128"
down_revision = "0123"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "approval_workflows", sa.Column("is_named", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("approval_workflows", "is_named")
