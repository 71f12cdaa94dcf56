"""Words of one's own for what people are told, and their versions.

Locks: none on what is there; a new table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLE = "notification_template_versions"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("author_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("failed_at", AT),
        sa.Column("last_error", sa.Text),
        sa.CheckConstraint("(subject IS NULL) = (body IS NULL)", name="words"),
    )
    op.create_index(
        "uq_notification_template_versions", TABLE, ["key", "channel", "language", "version"], unique=True
    )
    op.create_index("ix_notification_template_versions_author", TABLE, ["author_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
