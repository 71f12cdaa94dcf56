"""A password that an administrator chose for somebody works for a day, and is never theirs for good.

Locks: `credentials` gets a column that is nullable (no rewrite; its lock is held for a moment).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("given_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("credentials", "given_until")
