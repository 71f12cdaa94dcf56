"""Access tokens of OAuth clients that were revoked before they ended.

Locks: `oauth_clients` for an instant (a key that refers to it from a new table).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revoked_tokens",
        sa.Column("jti_hash", sa.LargeBinary(), primary_key=True),
        sa.Column(
            "oauth_client_id", sa.BigInteger(), sa.ForeignKey("oauth_clients.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_revoked_tokens_client", "revoked_tokens", ["oauth_client_id"])
    op.create_index("ix_revoked_tokens_expires", "revoked_tokens", ["expires_at"])


def downgrade() -> None:
    op.drop_table("revoked_tokens")
