"""Requests still being written.

Locks: a new table only; the foreign key takes SHARE ROW EXCLUSIVE on users for the moment it is added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request_drafts",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_type", sa.String(length=64), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_request_drafts_owner_id")),
        sa.PrimaryKeyConstraint("owner_id", "id", name=op.f("pk_request_drafts")),
    )
    op.create_index("ix_request_drafts_updated", "request_drafts", ["updated_at"])


def downgrade() -> None:
    op.drop_table("request_drafts")
