"""A comment knows what it came by, when that was not the web app.

Locks: ACCESS EXCLUSIVE on `ticket_comments` for a moment; a column without a default is added without touching a row.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_comments", sa.Column("channel", sa.String(16), nullable=True))


def downgrade() -> None:
    op.drop_column("ticket_comments", "channel")
