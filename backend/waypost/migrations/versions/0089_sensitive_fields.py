"""Answers to sensitive fields are kept sealed in a table of their own, and drafts of requests that have such fields as a whole.

Locks: `ticket_types`, `request_drafts` and `approval_subject_versions` for a moment each (columns that are empty, or a constant
default); tables that are new. Nothing is written: what was answered before is sealed by the worker, once a field is marked.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0089"
down_revision = "0104"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_types", sa.Column("sealed_keys", ARRAY(sa.Text()), server_default="{}", nullable=False))
    for table in ("request_drafts", "approval_subject_versions"):
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("key_id", sa.String(16), nullable=True))
    op.create_table(
        "sealed_answers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("ticket_id", sa.BigInteger(), sa.ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("field_key", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_sealed_answers_ticket", "sealed_answers", ["ticket_id"])
    op.create_index("ix_sealed_answers_key", "sealed_answers", ["key_id", "id"])
    op.create_table(
        "answer_sealings",
        sa.Column(
            "ticket_type_id",
            sa.BigInteger(),
            sa.ForeignKey("ticket_types.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("is_last_pass", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("last_ticket_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "ix_answer_sealings_due", "answer_sealings", ["ticket_type_id"], postgresql_where=sa.text("finished_at IS NULL")
    )


def downgrade() -> None:
    """Refused while something is sealed: taking the tables away would lose it."""
    held = op.get_bind().scalar(
        sa.text("SELECT EXISTS (SELECT 1 FROM sealed_answers) OR EXISTS (SELECT 1 FROM request_drafts WHERE sealed IS NOT NULL)")
    )
    if held:
        raise RuntimeError("sensitive answers are sealed: unmark the fields and let the worker open them first")
    op.drop_table("answer_sealings")
    op.drop_table("sealed_answers")
    for table in ("request_drafts", "approval_subject_versions"):
        op.drop_column(table, "key_id")
        op.drop_column(table, "sealed")
    op.drop_column("ticket_types", "sealed_keys")
