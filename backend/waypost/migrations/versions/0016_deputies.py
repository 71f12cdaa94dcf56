"""Standing delegations and the rights they give; workflows keep the facts they judge, for what a delegation covers.

Locks: two new tables, whose foreign keys take SHARE ROW EXCLUSIVE on users for the moment they are added; a
new nullable column without a default, which locks approval_workflows for a moment only. The index on approval_steps is
built beside the work that goes on.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_DECIDED = "ix_approval_steps_decided_for"


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "approval_delegations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delegator_id", sa.BigInteger(), nullable=False),
        sa.Column("delegate_id", sa.BigInteger(), nullable=False),
        _at("starts_at"),
        _at("ends_at"),
        sa.Column("reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("condition", JSONB(), nullable=True),
        sa.Column("field_kinds", JSONB(), server_default="{}", nullable=False),
        sa.Column("amount_up_to", sa.Numeric(14, 2), nullable=True),
        sa.Column("include_waiting", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("absence_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        _at("created_at"),
        _at("begun_at", nullable=True),
        _at("cancelled_at", nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_approval_delegations_window")),
        sa.CheckConstraint("delegate_id <> delegator_id", name=op.f("ck_approval_delegations_not_oneself")),
        sa.ForeignKeyConstraint(["delegator_id"], ["users.id"], name=op.f("fk_approval_delegations_delegator_id")),
        sa.ForeignKeyConstraint(["delegate_id"], ["users.id"], name=op.f("fk_approval_delegations_delegate_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_approval_delegations_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_delegations")),
    )
    op.create_index("ix_approval_delegations_delegator", "approval_delegations", ["delegator_id", "id"])
    op.create_index("ix_approval_delegations_delegate", "approval_delegations", ["delegate_id", "id"])
    op.create_index("ix_approval_delegations_absence", "approval_delegations", ["absence_id"])
    op.create_index(
        "ix_approval_delegations_live",
        "approval_delegations",
        ["ends_at", "id"],
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    op.create_table(
        "approval_deputies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("approver_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=False),
        _at("starts_at"),
        _at("ends_at"),
        _at("asked_from", nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("delegation_ids", ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["approver_id"], ["users.id"], name=op.f("fk_approval_deputies_approver_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deputy_id"], ["users.id"], name=op.f("fk_approval_deputies_deputy_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_deputies")),
    )
    op.create_index("ix_approval_deputies_deputy", "approval_deputies", ["deputy_id", "ends_at"])
    op.create_index("ix_approval_deputies_approver", "approval_deputies", ["approver_id", "ends_at"])
    op.execute("ALTER TABLE approval_workflows ADD COLUMN IF NOT EXISTS facts jsonb")
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_DECIDED}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_DECIDED} ON approval_steps (decided_by_id, subject_type, subject_id)"
            " WHERE decided_by_id <> approver_id"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_DECIDED}")
    op.execute("ALTER TABLE approval_workflows DROP COLUMN IF EXISTS facts")
    op.drop_table("approval_deputies")
    op.drop_table("approval_delegations")
