"""Telling people by more channels than mail: what a message says apart from how a mail writes it, preferences, channels.

Locks: `notification_deliveries` briefly for its new columns (constant defaults, no rewrite); its indexes are built
concurrently. What waits to be sent is carried over; the HTML of mails sent long ago is not kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLE = "notification_deliveries"
INDEXES = {
    "uq_notification_deliveries_told": "(event_id, channel, user_id, recipient) NULLS NOT DISTINCT",
    "ix_notification_deliveries_waiting": "(channel, is_urgent DESC, next_at, id) WHERE status = 'PENDING'",
    "ix_notification_deliveries_bundle": "(user_id, channel, bundle) WHERE status = 'PENDING' AND bundle IS NOT NULL",
    "ix_notification_deliveries_step": "(step_id) WHERE step_id IS NOT NULL",
    "ix_notification_deliveries_failed": "(id DESC) WHERE status = 'FAILED'",
    "ix_notification_deliveries_user": "(user_id, id DESC)",
}


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("words", JSONB, nullable=False, server_default="{}"))
    op.add_column(TABLE, sa.Column("bundle", sa.String(80)))
    op.add_column(TABLE, sa.Column("is_urgent", sa.Boolean, nullable=False, server_default="false"))
    op.add_column(TABLE, sa.Column("step_id", sa.BigInteger))
    op.add_column(TABLE, sa.Column("provider_ref", sa.String(254)))
    op.execute(
        f"UPDATE {TABLE} SET words = jsonb_build_object('title', subject, 'body', plain) WHERE status = 'PENDING'"
    )
    op.alter_column(TABLE, "words", server_default=None)
    op.alter_column(TABLE, "user_id", nullable=True)
    op.drop_column(TABLE, "plain")
    op.drop_column(TABLE, "html")
    op.create_table(
        "notification_channels",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("settings", JSONB, nullable=False, server_default="{}"),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("sealed_with", sa.String(16)),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failures", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("open_until", AT),
        sa.Column("last_error", sa.Text),
        sa.Column("failed_at", AT),
        sa.Column("worked_at", AT),
        sa.Column("updated_at", AT, nullable=False),
    )
    op.create_table(
        "contact_points",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False, server_default="{}"),
        sa.Column("label", sa.String(100), nullable=False, server_default=""),
        sa.Column("verified_at", AT),
        sa.Column("stopped_at", AT),
        sa.Column("used_at", AT),
        sa.Column("created_at", AT, nullable=False),
    )
    op.create_index(
        "uq_contact_points_address", "contact_points", ["channel", sa.text("md5(address)"), "user_id"], unique=True
    )
    op.create_index("ix_contact_points_user", "contact_points", ["user_id", "channel"])
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("choices", JSONB, nullable=False, server_default="{}"),
        sa.Column("digests", JSONB, nullable=False, server_default="{}"),
        sa.Column("quiet_hours", JSONB),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("updated_at", AT, nullable=False),
    )
    op.create_table(
        "notification_defaults",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("role_id", sa.BigInteger, sa.ForeignKey("roles.id", ondelete="CASCADE")),
        sa.Column("choices", JSONB, nullable=False, server_default="{}"),
        sa.Column("mandatory", JSONB, nullable=False, server_default="{}"),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("updated_at", AT, nullable=False),
    )
    op.create_index(
        "uq_notification_defaults_role",
        "notification_defaults",
        ["role_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            unique = "UNIQUE " if name.startswith("uq") else ""
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {unique}INDEX CONCURRENTLY {name} ON {TABLE} {columns}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_notification_deliveries_event")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notification_deliveries_due")


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE channel <> 'email' OR user_id IS NULL")
    with op.get_context().autocommit_block():
        op.execute(
            f"CREATE UNIQUE INDEX CONCURRENTLY uq_notification_deliveries_event ON {TABLE} (event_id, user_id, channel)"
        )
        op.execute(
            f"CREATE INDEX CONCURRENTLY ix_notification_deliveries_due ON {TABLE} (next_at, id)"
            " WHERE status = 'PENDING'"
        )
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    for table in ("notification_defaults", "notification_preferences", "contact_points", "notification_channels"):
        op.drop_table(table)
    op.add_column(TABLE, sa.Column("plain", sa.Text, nullable=False, server_default=""))
    op.add_column(TABLE, sa.Column("html", sa.Text, nullable=False, server_default=""))
    op.execute(f"UPDATE {TABLE} SET plain = coalesce(words->>'body', '') WHERE status = 'PENDING'")
    op.alter_column(TABLE, "plain", server_default=None)
    op.alter_column(TABLE, "html", server_default=None)
    op.alter_column(TABLE, "user_id", nullable=False)
    for column in ("provider_ref", "step_id", "is_urgent", "bundle", "words"):
        op.drop_column(TABLE, column)
