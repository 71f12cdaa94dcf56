"""Whether whoever asked for a change of many people had confirmed that it is them, as a role with power needs.

Locks: `people_jobs` gets a column with a constant default: its lock is held for a moment, and nothing is rewritten.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people_jobs", sa.Column("is_proved", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("people_jobs", "is_proved")
