"""Calendar files that close days; policies that were removed stay for what began by them; who may look at them.

Locks: `sla_policies`, which is as good as new, for a moment; a table that is new; rows of `role_permissions` are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0096"
down_revision = "0099"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sla_calendar_files",
        sa.Column(
            "calendar_id",
            sa.BigInteger(),
            sa.ForeignKey("sla_calendars.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(300), server_default="", nullable=False),
    )
    op.create_index("ix_sla_calendar_files_next", "sla_calendar_files", ["next_at"])
    op.add_column("sla_policies", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("uq_sla_policies_name", "sla_policies", type_="unique")
    op.create_index(
        "uq_sla_policies_name", "sla_policies", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL")
    )
    op.execute(
        "INSERT INTO role_permissions (role_id, permission, scope) SELECT r.id, p.word, 9 FROM roles r"
        " JOIN (VALUES ('admin', 'sla:configure'), ('admin', 'sla:read'), ('auditor', 'sla:read')) AS p (role, word)"
        " ON p.role = r.key ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_permissions WHERE permission IN ('sla:configure', 'sla:read')")
    op.drop_index("uq_sla_policies_name", "sla_policies")
    op.execute("DELETE FROM sla_policies WHERE removed_at IS NOT NULL")
    op.create_unique_constraint("uq_sla_policies_name", "sla_policies", ["name"])
    op.drop_column("sla_policies", "removed_at")
    op.drop_table("sla_calendar_files")
