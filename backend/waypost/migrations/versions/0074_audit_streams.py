"""The trail is sent on to other systems: destinations, how far each has come, and a permission of its own.

Locks: none but on a table that is new; rows of `role_permissions` are added.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "audit_streams",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("settings", JSONB(), server_default="{}", nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_with", sa.String(16), nullable=True),
        sa.Column("families", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease", sa.String(32), nullable=True),
        _at("leased_until"),
        sa.Column("failures", sa.SmallInteger(), server_default="0", nullable=False),
        _at("failing_since"),
        _at("open_until"),
        sa.Column("last_error", sa.Text(), nullable=True),
        _at("failed_at"),
        _at("worked_at"),
        _at("alarmed_at"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _at("created_at", nullable=False),
        _at("updated_at", nullable=False),
        sa.CheckConstraint("kind IN ('SYSLOG', 'HTTPS')", name="kind"),
    )
    op.create_index("uq_audit_streams_name", "audit_streams", ["name"], unique=True)
    op.execute(
        "INSERT INTO role_permissions (role_id, permission, scope)"
        " SELECT id, 'audit:configure', 9 FROM roles WHERE key = 'admin' ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_permissions WHERE permission = 'audit:configure'")
    op.drop_table("audit_streams")
