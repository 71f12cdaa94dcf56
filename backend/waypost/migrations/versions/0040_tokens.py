"""API tokens, what work that goes on later may do for one, and the permission to make them.

Locks: `bulk_jobs` and `ticket_imports` get a nullable column each (no rewrite; their locks are held for a moment); the
table is new, and rows of `role_permissions` are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("beginning", sa.String(16), nullable=False),
        sa.Column("permissions", ARRAY(sa.Text()), nullable=False),
        sa.Column("is_read_only", sa.Boolean(), nullable=False),
        sa.Column("is_vouched", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_from", sa.String(45), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("uq_api_tokens_hash", "api_tokens", ["token_hash"], unique=True)
    op.create_index("ix_api_tokens_user", "api_tokens", ["user_id", "id"])
    op.create_index("ix_api_tokens_made_by", "api_tokens", ["made_by_id"])
    op.create_index("ix_api_tokens_expires", "api_tokens", ["expires_at"])
    for table in ("bulk_jobs", "ticket_imports"):
        op.add_column(table, sa.Column("limited_to", ARRAY(sa.Text()), nullable=True))
    for permission, role, scope in (
        ("tokens:own", "employee", 1),
        ("tokens:own", "auditor", 1),
        ("tokens:own", "admin", 9),
        ("tokens:configure", "admin", 9),
    ):
        op.execute(
            sa.text(
                "INSERT INTO role_permissions (role_id, permission, scope)"
                " SELECT id, :permission, :scope FROM roles WHERE key = :role ON CONFLICT DO NOTHING"
            ).bindparams(permission=permission, role=role, scope=scope)
        )


def downgrade() -> None:
    op.execute("DELETE FROM role_permissions WHERE permission IN ('tokens:own', 'tokens:configure')")
    for table in ("bulk_jobs", "ticket_imports"):
        op.drop_column(table, "limited_to")
    op.drop_table("api_tokens")
