"""Schedules of exports, and which exports are theirs.

Locks: the table is new; `users` and `saved_reports` are locked for a moment against changes of their keys, for the
references. `report_exports` gets two columns that may be empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "export_schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column(
            "report_id", sa.BigInteger(), sa.ForeignKey("saved_reports.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("owner_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("subject", sa.String(150), nullable=False),
        sa.Column("formats", ARRAY(sa.Text()), nullable=False),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("weekdays", ARRAY(sa.SmallInteger()), server_default="{}", nullable=False),
        sa.Column("day", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("at_time", sa.Time(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("person_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("paused_why", sa.String(16), nullable=True),
        sa.Column("next_at", at, nullable=True),
        sa.Column("failing_ids", ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("updated_at", at, nullable=False),
        sa.CheckConstraint("every IN ('DAY', 'WEEKDAY', 'WEEK', 'MONTH')", name="every"),
        sa.CheckConstraint("state IN ('ACTIVE', 'PAUSED')", name="state"),
        sa.CheckConstraint("paused_why IN ('BY_OWNER', 'OWNER_LEFT', 'NOT_SHARED')", name="paused_why"),
        sa.CheckConstraint("(state = 'ACTIVE') = (next_at IS NOT NULL)", name="next"),
    )
    op.create_index("ix_export_schedules_owner", "export_schedules", ["owner_id", sa.text("id DESC")])
    op.create_index("ix_export_schedules_report", "export_schedules", ["report_id"])
    op.create_index(
        "ix_export_schedules_due", "export_schedules", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )
    op.add_column(
        "report_exports",
        sa.Column(
            "schedule_id", sa.BigInteger(), sa.ForeignKey("export_schedules.id", ondelete="SET NULL"), nullable=True
        ),
    )
    op.add_column("report_exports", sa.Column("due_at", at, nullable=True))
    op.create_index("ix_report_exports_schedule", "report_exports", ["schedule_id", sa.text("id DESC")])
    op.create_index(
        "uq_report_exports_due",
        "report_exports",
        ["schedule_id", "due_at"],
        unique=True,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    for index in ("uq_report_exports_due", "ix_report_exports_schedule"):
        op.drop_index(index, "report_exports")
    for column in ("schedule_id", "due_at"):
        op.drop_column("report_exports", column)
    op.drop_table("export_schedules")
