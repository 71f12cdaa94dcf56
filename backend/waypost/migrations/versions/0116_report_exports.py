"""Reports taken away as files: exports, what each person gets of them, and the files.

Locks: the tables are new; `users` and `saved_reports` are locked for a moment against changes of their keys, for the
references.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0116"
down_revision = "0118"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "report_exports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column(
            "report_id", sa.BigInteger(), sa.ForeignKey("saved_reports.id", ondelete="SET NULL"), nullable=True
        ),
        sa.Column("report_name", sa.String(100), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("formats", ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("finished_at", at, nullable=True),
        sa.CheckConstraint("kind IN ('NOW', 'SCHEDULED', 'MANUAL', 'TEST')", name="kind"),
        sa.CheckConstraint("status IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name="status"),
    )
    op.create_index("ix_report_exports_asked_by", "report_exports", ["asked_by_id", sa.text("id DESC")])
    op.create_index("ix_report_exports_report", "report_exports", ["report_id"])
    op.create_index("ix_report_exports_created", "report_exports", ["created_at"])
    op.create_table(
        "report_export_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "export_id", sa.BigInteger(), sa.ForeignKey("report_exports.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("is_now", sa.Boolean(), nullable=False),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", at, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("finished_at", at, nullable=True),
        sa.CheckConstraint("status IN ('WAITING', 'DONE', 'FAILED', 'CANCELLED')", name="status"),
    )
    op.create_index("uq_report_export_parts_person", "report_export_parts", ["export_id", "user_id"], unique=True)
    op.create_index("ix_report_export_parts_user", "report_export_parts", ["user_id", sa.text("export_id DESC")])
    op.create_index(
        "ix_report_export_parts_waiting",
        "report_export_parts",
        [sa.text("is_now DESC"), "id"],
        postgresql_where=sa.text("status = 'WAITING'"),
    )
    op.create_table(
        "report_export_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "part_id", sa.BigInteger(), sa.ForeignKey("report_export_parts.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", at, nullable=False),
        sa.Column("object_name", sa.String(64), nullable=True),
        sa.Column("key_id", sa.String(16), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
    )
    op.create_index("uq_report_export_files_format", "report_export_files", ["part_id", "format"], unique=True)
    op.create_index("ix_report_export_files_object", "report_export_files", ["object_name"])
    op.create_index(
        "ix_report_export_files_kept",
        "report_export_files",
        ["expires_at"],
        postgresql_where=sa.text("object_name IS NOT NULL"),
    )


def downgrade() -> None:
    for table in ("files", "parts"):
        op.drop_table(f"report_export_{table}")
    op.drop_table("report_exports")
