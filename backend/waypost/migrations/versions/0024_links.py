"""Links in mails that open one decision, and when a sign-in was last proven.

Locks: a new table, whose foreign keys take SHARE ROW EXCLUSIVE on approval_steps and users for the moment they are added;
a new nullable column without a default, which locks login_sessions for a moment only.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "approval_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
        sa.Column("verb", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["step_id"], ["approval_steps.id"], name=op.f("fk_approval_links_step_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approval_links_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_approval_links")),
    )
    op.create_index("ix_approval_links_step", "approval_links", ["step_id"])
    op.create_index("ix_approval_links_user", "approval_links", ["user_id"])
    op.create_index("ix_approval_links_expires", "approval_links", ["expires_at"])
    op.execute("ALTER TABLE login_sessions ADD COLUMN IF NOT EXISTS proved_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE login_sessions DROP COLUMN IF EXISTS proved_at")
    op.drop_table("approval_links")
