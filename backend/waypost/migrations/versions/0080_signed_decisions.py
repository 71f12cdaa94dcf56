"""Decisions signed with a passkey: what is signed for, the signatures beside the decisions, and with what people confirmed.

Locks: `passkey_challenges`, `login_sessions`, `approval_steps` and `approval_workflows` for a moment, while a column
without a value is added to each; nothing is written. The foreign keys of the new table lock what they refer to for as
long.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0080"
down_revision = "0074"
branch_labels = None
depends_on = None

_CONFIRMED = ("approval_steps", "approval_workflows")


def upgrade() -> None:
    op.add_column("passkey_challenges", sa.Column("statements", JSONB(), nullable=True))
    op.add_column("login_sessions", sa.Column("proved_by", sa.String(40), nullable=True))
    for table in _CONFIRMED:
        op.add_column(table, sa.Column("confirmed_by", sa.String(40), nullable=True))
    op.create_table(
        "approval_signatures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        _of("workflow_id", "approval_workflows"),
        _of("step_id", "approval_steps", is_nullable=True),
        sa.Column("subject_type", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("hashes", sa.ARRAY(sa.String(64)), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in _BYTES),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("rp_id", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("passkey", sa.String(60), server_default="", nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_approval_signatures_workflow", "approval_signatures", ["workflow_id", "id"])
    op.create_index(
        "ix_approval_signatures_step",
        "approval_signatures",
        ["step_id"],
        postgresql_where=sa.text("step_id IS NOT NULL"),
    )
    op.create_index("ix_approval_signatures_subject", "approval_signatures", ["subject_type", "subject_id", "id"])
    op.create_index("ix_approval_signatures_user", "approval_signatures", ["user_id"])
    op.create_index("uq_approval_signatures_event", "approval_signatures", ["event_id"], unique=True)


_BYTES = ("credential_id", "public_key", "authenticator_data", "client_data", "signature")


def _of(name: str, table: str, *, is_nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=is_nullable)


def downgrade() -> None:
    op.drop_table("approval_signatures")
    for table in _CONFIRMED:
        op.drop_column(table, "confirmed_by")
    op.drop_column("login_sessions", "proved_by")
    op.drop_column("passkey_challenges", "statements")
