"""What approvers were shown: every version of a subject, and which requests are never decided together with others.

Locks: a new table, and two columns with constant defaults, so workflows are locked for a moment only. What runs is
carried over in batches of ids, each a transaction of its own: its present wording becomes its only known version. An
amount in another currency than the company's is taken for a large one until the request is changed or asked for anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from waypost.kernel.settings import get_settings

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BATCH = 20_000
KEEP = """
    INSERT INTO approval_subject_versions (workflow_id, version, subject, at)
    SELECT id, subject_version, subject, started_at FROM approval_workflows
    WHERE id > :after AND id <= :until AND status = 'RUNNING'
    ON CONFLICT DO NOTHING
"""
MARK = """
    UPDATE approval_workflows SET one_by_one = true
    WHERE id > :after AND id <= :until AND status = 'RUNNING' AND NOT one_by_one AND (
        subject->>'priority' = 'CRITICAL'
        OR (subject->>'amount')::numeric > one_by_one_above
        OR (subject->>'amount' IS NOT NULL AND subject->>'currency' <> :currency)
    )
"""


def upgrade() -> None:
    op.execute("ALTER TABLE approval_workflows ADD COLUMN IF NOT EXISTS one_by_one boolean NOT NULL DEFAULT false")
    op.execute(
        "ALTER TABLE approval_workflows ADD COLUMN IF NOT EXISTS one_by_one_above numeric(14, 2) NOT NULL DEFAULT 5000"
    )
    op.create_table(
        "approval_subject_versions",
        sa.Column("workflow_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", JSONB, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "version", name="pk_approval_subject_versions"),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["approval_workflows.id"],
            name="fk_approval_subject_versions_workflow_id",
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )
    currency = get_settings().currency
    with op.get_context().autocommit_block():
        bind = op.get_bind()
        highest = bind.execute(sa.text("SELECT coalesce(max(id), 0) FROM approval_workflows")).scalar_one()
        for start in range(0, highest, BATCH):
            reach = {"after": start, "until": start + BATCH}
            bind.execute(sa.text(KEEP), reach)
            bind.execute(sa.text(MARK), {**reach, "currency": currency})


def downgrade() -> None:
    op.drop_table("approval_subject_versions")
    op.drop_column("approval_workflows", "one_by_one_above")
    op.drop_column("approval_workflows", "one_by_one")
