"""Reminders and escalation by time, places that are asked again, and overriding.

Locks: new columns are nullable or have a constant default, so each table is locked for a moment; the wider lists of
words are added NOT VALID and checked afterwards while writing goes on; the index is built concurrently. Steps that are
asked already begin their ladder with the next tick of the clock after they are due: in batches of ids.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BATCH = 20_000
STAGES = ("WAITING", "OPEN", "APPROVED", "REJECTED", "SKIPPED", "CANCELLED")
STEPS = (
    "WAITING",
    "PENDING",
    "INFO_REQUESTED",
    "APPROVED",
    "REJECTED",
    "DELEGATED",
    "ESCALATED",
    "CANCELLED",
    "NOT_NEEDED",
)


def _words(table: str, words: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{w}'" for w in words)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_status")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_status CHECK (status IN ({listed})) NOT VALID")


def upgrade() -> None:
    for column in ("timer_at timestamptz", "reminders smallint NOT NULL DEFAULT 0", "climbs smallint NOT NULL DEFAULT 0"):
        op.execute(f"ALTER TABLE approval_steps ADD COLUMN IF NOT EXISTS {column}")
    op.execute("ALTER TABLE approval_stages ADD COLUMN IF NOT EXISTS ladder jsonb")
    op.execute("ALTER TABLE approval_workflows ADD COLUMN IF NOT EXISTS overridden_by_id bigint")
    op.execute("ALTER TABLE approval_workflows ADD COLUMN IF NOT EXISTS override_reason text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE approval_workflows DROP CONSTRAINT IF EXISTS fk_approval_workflows_overridden_by_id")
    op.execute(
        "ALTER TABLE approval_workflows ADD CONSTRAINT fk_approval_workflows_overridden_by_id"
        " FOREIGN KEY (overridden_by_id) REFERENCES users (id) NOT VALID"
    )
    _words("approval_stages", (*STAGES, "SUPERSEDED"))
    _words("approval_steps", (*STEPS, "REROUTED"))
    with op.get_context().autocommit_block():
        for table in ("approval_stages", "approval_steps"):
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_status")
        op.execute("ALTER TABLE approval_workflows VALIDATE CONSTRAINT fk_approval_workflows_overridden_by_id")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_approval_steps_timer")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_approval_steps_timer ON approval_steps (timer_at, id)"
            " WHERE timer_at IS NOT NULL"
        )
        highest = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM approval_steps")).scalar_one()
        for start in range(0, highest, BATCH):
            op.get_bind().execute(
                sa.text(
                    "UPDATE approval_steps SET timer_at = due_at WHERE id > :after AND id <= :until"
                    " AND status = 'PENDING' AND due_at IS NOT NULL AND timer_at IS NULL"
                ),
                {"after": start, "until": start + BATCH},
            )


def downgrade() -> None:
    op.execute("UPDATE approval_stages SET status = 'CANCELLED' WHERE status = 'SUPERSEDED'")
    op.execute("UPDATE approval_steps SET status = 'CANCELLED' WHERE status = 'REROUTED'")
    _words("approval_stages", STAGES)
    _words("approval_steps", STEPS)
    op.execute("ALTER TABLE approval_stages VALIDATE CONSTRAINT ck_approval_stages_status")
    op.execute("ALTER TABLE approval_steps VALIDATE CONSTRAINT ck_approval_steps_status")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_approval_steps_timer")
    for table, column in (
        ("approval_steps", "timer_at"),
        ("approval_steps", "reminders"),
        ("approval_steps", "climbs"),
        ("approval_stages", "ladder"),
        ("approval_workflows", "overridden_by_id"),
        ("approval_workflows", "override_reason"),
    ):
        op.drop_column(table, column)
