"""Files of tickets.

Locks: a new table only; its foreign keys take SHARE ROW EXCLUSIVE on tickets and users for the moment they are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("visibility", sa.String(length=8), nullable=False),
        sa.Column("scan", sa.String(length=8), nullable=False),
        sa.Column("scan_attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("scan_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("object_name", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("visibility IN ('PUBLIC', 'INTERNAL')", name=op.f("ck_attachments_visibility")),
        sa.CheckConstraint(
            "scan IN ('NONE', 'PENDING', 'CLEAN', 'INFECTED', 'FAILED')", name=op.f("ck_attachments_scan")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_attachments_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["users.id"], name=op.f("fk_attachments_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("object_name", name=op.f("uq_attachments_object_name")),
    )
    op.create_index("ix_attachments_ticket", "attachments", ["ticket_id", "id"])
    op.create_index(
        "ix_attachments_scan", "attachments", ["scan_at", "id"], postgresql_where=sa.text("scan = 'PENDING'")
    )
    op.create_index("ix_attachments_key", "attachments", ["key_id", "id"])


def downgrade() -> None:
    op.drop_table("attachments")
