"""Reviews of broken glass, and when somebody who is asked first saw a request.

Locks: two new tables, whose foreign keys take SHARE ROW EXCLUSIVE on users and approval_workflows for the moment they
are added; a new nullable column without a default, which locks approval_steps for a moment only.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "approval_reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("workflow_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("requester_id", sa.BigInteger(), nullable=False),
        sa.Column("broken_by_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("opened_at"),
        _at("due_at"),
        sa.Column("state", sa.String(length=16), nullable=False),
        _at("decided_at", nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("comments", sa.Text(), server_default="", nullable=False),
        _at("timer_at", nullable=True),
        sa.Column("rungs", sa.SmallInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'CONFIRMED', 'OBJECTED')", name=op.f("ck_approval_reviews_state")),
        sa.CheckConstraint(
            "(state = 'OPEN') = (decided_by_id IS NULL)", name=op.f("ck_approval_reviews_decided")
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"],
            ["approval_workflows.id"],
            name=op.f("fk_approval_reviews_workflow_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["requester_id"], ["users.id"], name=op.f("fk_approval_reviews_requester_id")),
        sa.ForeignKeyConstraint(["broken_by_id"], ["users.id"], name=op.f("fk_approval_reviews_broken_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_approval_reviews_decided_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_reviews")),
    )
    op.create_index("uq_approval_reviews_workflow", "approval_reviews", ["workflow_id"], unique=True)
    op.create_index("ix_approval_reviews_subject", "approval_reviews", ["subject_type", "subject_id"])
    op.create_index("ix_approval_reviews_broken_by", "approval_reviews", ["broken_by_id", "id"])
    op.create_index("ix_approval_reviews_state", "approval_reviews", ["state", "id"])
    op.create_index(
        "ix_approval_reviews_timer",
        "approval_reviews",
        ["timer_at", "id"],
        postgresql_where=sa.text("timer_at IS NOT NULL"),
    )
    op.create_table(
        "approval_reviewers",
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["approval_reviews.id"],
            name=op.f("fk_approval_reviewers_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approval_reviewers_user_id")),
        sa.PrimaryKeyConstraint("review_id", "user_id", name=op.f("pk_approval_reviewers")),
    )
    op.create_index("ix_approval_reviewers_user", "approval_reviewers", ["user_id", "review_id"])
    op.execute("ALTER TABLE approval_steps ADD COLUMN IF NOT EXISTS seen_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE approval_steps DROP COLUMN IF EXISTS seen_at")
    op.drop_table("approval_reviewers")
    op.drop_table("approval_reviews")
