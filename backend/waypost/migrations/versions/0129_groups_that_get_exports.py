"""Schedules of exports are for teams and roles as well: whoever is in them when it is sent.

Locks: `export_schedules`, for a moment; the columns' defaults are not written into rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0129"
down_revision = "0124"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "export_schedules", sa.Column("team_ids", ARRAY(sa.BigInteger()), server_default="{}", nullable=False)
    )
    op.add_column("export_schedules", sa.Column("roles", ARRAY(sa.Text()), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("export_schedules", "roles")
    op.drop_column("export_schedules", "team_ids")
