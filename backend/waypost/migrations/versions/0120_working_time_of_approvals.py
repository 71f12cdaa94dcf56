"""Stages of approvals that count in the working hours of the one who is asked.

Locks: `approval_stages` is locked for a moment: the column comes with a constant default, so no row is written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0117"
branch_labels = None
depends_on = None


def upgrade() -> None:
    default = sa.text("false")
    op.add_column("approval_stages", sa.Column("in_working_time", sa.Boolean(), nullable=False, server_default=default))


def downgrade() -> None:
    op.drop_column("approval_stages", "in_working_time")
