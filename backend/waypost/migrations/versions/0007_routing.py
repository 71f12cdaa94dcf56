"""Routing rules and what they decided, turns within a team, who leads it, and who is away.

Locks: ACCESS EXCLUSIVE on team_members for a moment (columns that are empty or have a constant default); SHARE ROW
EXCLUSIVE on users, teams and tickets while foreign keys of new, empty tables are added. The indexes on tickets are built
beside running work.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("team_members", sa.Column("is_lead", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("team_members", sa.Column("last_assigned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "absences",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absences_window")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_absences_user_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_absences_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_user", "absences", ["user_id", "ends_at"])
    op.create_index("ix_absences_now", "absences", ["ends_at", "starts_at", "user_id"])
    op.create_table(
        "routing_rule_sets",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("field_kinds", JSONB(), nullable=False),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("restored_from", sa.Integer(), nullable=True),
        sa.Column("published_by_id", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["users.id"], name=op.f("fk_routing_rule_sets_published_by_id")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_routing_rule_sets")),
    )
    op.create_table(
        "ticket_routings",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("fired", JSONB(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.String(length=16), nullable=True),
        sa.Column("way", sa.String(length=16), nullable=True),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_routings_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_routings")),
    )
    op.create_table(
        "team_rotations",
        sa.Column("team_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_user_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_team_rotations_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_team_rotations")),
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_tickets_queue",
            "tickets",
            ["team_id", sa.text("urgency DESC"), "created_at", "id", "assignee_id"],
            postgresql_where=sa.text("status IN ('APPROVED', 'IN_PROGRESS')"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_tickets_load",
            "tickets",
            ["assignee_id"],
            postgresql_where=sa.text("status NOT IN ('DRAFT', 'REJECTED', 'COMPLETED', 'CLOSED')"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_tickets_load", "tickets", postgresql_concurrently=True, if_exists=True)
        op.drop_index("ix_tickets_queue", "tickets", postgresql_concurrently=True, if_exists=True)
    op.drop_table("team_rotations")
    op.drop_table("ticket_routings")
    op.drop_table("routing_rule_sets")
    op.drop_table("absences")
    op.drop_column("team_members", "last_assigned_at")
    op.drop_column("team_members", "is_lead")
