"""Known browsers, passwords that are long enough beside a second factor only, and what a one-time link is for.

Locks: `credentials` and `one_time_links` get columns that are nullable or have a constant default (no rewrite; their
locks are held for a moment); the table is new.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("is_short", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("one_time_links", sa.Column("purpose", sa.String(16), server_default="password", nullable=False))
    op.add_column("one_time_links", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "known_devices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("uq_known_devices_token", "known_devices", ["user_id", "token_hash"], unique=True)
    op.create_index("ix_known_devices_used", "known_devices", ["used_at"])


def downgrade() -> None:
    op.drop_table("known_devices")
    op.drop_column("one_time_links", "since")
    op.drop_column("one_time_links", "purpose")
    op.drop_column("credentials", "is_short")
