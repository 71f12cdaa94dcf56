"""Until when a sign-in lasts by the word of the provider it came by.

Locks: `login_sessions` and `sign_in_challenges` get a column that is null (no rewrite; ACCESS EXCLUSIVE for a moment each).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0041"
branch_labels = None
depends_on = None

TABLES = ("login_sessions", "sign_in_challenges")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("provider_ends_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "provider_ends_at")
