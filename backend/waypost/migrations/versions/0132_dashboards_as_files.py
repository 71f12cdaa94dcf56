"""Dashboards are taken away as files, at once and by schedules, as reports are.

Locks: `report_exports` and `export_schedules`, for a moment each; the columns have no default, and the new rule looks at the
few schedules there are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0132"
down_revision = "0134"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("report_exports", "export_schedules"):
        op.add_column(table, sa.Column("board", sa.String(16)))
        op.add_column(table, sa.Column("days", sa.SmallInteger()))
    op.alter_column("export_schedules", "report_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_export_schedules_of"),
        "export_schedules",
        "(report_id IS NULL) = (board IS NOT NULL) AND (board IS NULL) = (days IS NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_export_schedules_of"), "export_schedules")
    op.execute("DELETE FROM export_schedules WHERE report_id IS NULL")
    op.alter_column("export_schedules", "report_id", nullable=False)
    for table in ("export_schedules", "report_exports"):
        op.drop_column(table, "days")
        op.drop_column(table, "board")
