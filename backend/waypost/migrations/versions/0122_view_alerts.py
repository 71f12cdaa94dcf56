"""Who is told of what is new in which view, what each was told of already, and how far the log was followed for it.

Locks: the tables are new; `users`, `saved_views` and `tickets` are locked for a moment against changes of their keys, for
the references.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from waypost.kernel.events import Xid8

revision = "0122"
down_revision = "0125"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "view_alerts",
        sa.Column(
            "user_id",
            sa.BigInteger(),
            sa.ForeignKey("users.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column(
            "view_id",
            sa.BigInteger(),
            sa.ForeignKey("saved_views.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("is_seeded", sa.Boolean(), nullable=False),
        sa.Column("after_ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("next_at", at, nullable=True),
        sa.Column("why", sa.String(100), nullable=True),
        sa.Column("created_at", at, nullable=False),
        sa.CheckConstraint(
            "how IN ('AT_ONCE', 'DAILY', 'WEEKLY') AND (how = 'AT_ONCE') = (next_at IS NULL)", name="how"
        ),
    )
    op.create_index("ix_view_alerts_view", "view_alerts", ["view_id"])
    op.create_index(
        "ix_view_alerts_next", "view_alerts", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.create_table(
        "view_alert_matches",
        sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("view_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "ticket_id",
            sa.BigInteger(),
            sa.ForeignKey("tickets.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("told_at", at, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id", "view_id"],
            ["view_alerts.user_id", "view_alerts.view_id"],
            ondelete="CASCADE",
            name="fk_view_alert_matches_alert",
        ),
    )
    op.create_index("ix_view_alert_matches_ticket", "view_alert_matches", ["ticket_id"])
    op.create_index(
        "ix_view_alert_matches_waiting",
        "view_alert_matches",
        ["view_id", "user_id"],
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "view_alert_progress",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("txid", Xid8(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO view_alert_progress (id, txid, event_id) SELECT 1, txid, event_id FROM search_progress")


def downgrade() -> None:
    op.drop_table("view_alert_progress")
    op.drop_table("view_alert_matches")
    op.drop_table("view_alerts")
