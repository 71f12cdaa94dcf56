"""How long sign-ins last, how many at once, and how each began.

Locks: `roles` and `login_sessions` for an instant each (nullable columns, no rewrite, nothing is read).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_rules",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("idle_minutes", sa.Integer(), nullable=True),
        sa.Column("absolute_minutes", sa.Integer(), nullable=True),
        sa.Column("most_at_once", sa.Integer(), server_default="100", nullable=False),
        sa.Column("cookies_since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("id = 1", name="ck_session_rules_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_session_rules"),
    )
    op.execute("INSERT INTO session_rules (id) VALUES (1)")
    op.add_column("roles", sa.Column("session_idle_minutes", sa.Integer(), nullable=True))
    op.add_column("roles", sa.Column("session_absolute_minutes", sa.Integer(), nullable=True))
    op.add_column("login_sessions", sa.Column("method", sa.String(64), nullable=True))
    op.add_column("login_sessions", sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("login_sessions", "renewed_at")
    op.drop_column("login_sessions", "method")
    op.drop_column("roles", "session_absolute_minutes")
    op.drop_column("roles", "session_idle_minutes")
    op.drop_table("session_rules")
