"""Who came by which provider is found without reading everybody: indexes on tables that may be large.

Locks: none that anybody waits for; built aside. A revision of its own, so that it can be begun again when it broke off.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = ("user_roles", "login_sessions", "sign_in_challenges")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_{table}_provider")
            op.create_index(
                f"ix_{table}_provider",
                table,
                ["provider_id"],
                postgresql_where=sa.text("provider_id IS NOT NULL"),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_provider", table)
