"""People, departments and teams are edited by version; a person's row says when they signed in, and what was erased.

Locks: `users`, `departments` and `teams` get columns with constant defaults or none (no rewrite; each lock is held for a
moment), and the rows of people who signed in are written once. Installations that have their administrators' role
already get its two new permissions.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0033"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for table in ("users", "departments", "teams"):
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("users", sa.Column("legal_hold", sa.Text(), nullable=True))
    op.add_column("users", _at("signed_in_at", nullable=True))
    op.add_column("users", _at("erased_at", nullable=True))
    op.execute(
        "UPDATE users u SET signed_in_at = s.at FROM"
        " (SELECT user_id, max(created_at) AS at FROM login_sessions GROUP BY user_id) s WHERE s.user_id = u.id"
    )
    op.execute(
        "INSERT INTO role_permissions (role_id, permission, scope) SELECT r.id, p.word, 9 FROM roles r"
        " CROSS JOIN (VALUES ('privacy:handle'), ('sessions:manage')) AS p(word) WHERE r.key = 'admin' AND r.is_system"
        " ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_permissions WHERE permission IN ('privacy:handle', 'sessions:manage')")
    op.drop_column("users", "erased_at")
    op.drop_column("users", "signed_in_at")
    op.drop_column("users", "legal_hold")
    for table in ("teams", "departments", "users"):
        op.drop_column(table, "version")
