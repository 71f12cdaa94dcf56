"""Looks at directories: runs, what each made of whom, how far one has read, and whom a run deactivated.

Locks: none but on tables that are new.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def _of(name: str, table: str, on_delete: str = "CASCADE", *, is_key: bool = False) -> sa.Column[int]:
    is_nullable = on_delete == "SET NULL" or name == "plan_of_id"
    key = sa.ForeignKey(f"{table}.id", ondelete=on_delete)
    return sa.Column(name, sa.BigInteger(), key, nullable=is_nullable, primary_key=is_key)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "directory_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        _of("provider_id", "identity_providers"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("is_dry", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_whole", sa.Boolean(), server_default="true", nullable=False),
        _of("asked_by_id", "users", "SET NULL"),
        _of("plan_of_id", "directory_runs"),
        _at("asked_at"),
        _at("started_at", nullable=True),
        _at("ended_at", nullable=True),
        sa.Column("counts", JSONB(), server_default="{}", nullable=False),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("stop", JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _of("settled_by_id", "users", "SET NULL"),
        _at("settled_at", nullable=True),
    )
    op.create_index("ix_directory_runs_provider", "directory_runs", ["provider_id", "id"])
    op.create_index(
        "uq_directory_runs_open",
        "directory_runs",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('WAITING', 'RUNNING')"),
    )
    op.create_index(
        "ix_directory_runs_plan_of",
        "directory_runs",
        ["plan_of_id"],
        postgresql_where=sa.text("plan_of_id IS NOT NULL"),
    )
    op.create_table(
        "directory_run_people",
        _of("run_id", "directory_runs", is_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        _of("user_id", "users", "SET NULL"),
        sa.Column("changes", JSONB(), server_default="[]", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
    )
    op.create_index(
        "ix_directory_run_people_user",
        "directory_run_people",
        ["user_id"],
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "directory_cursors",
        _of("provider_id", "identity_providers", is_key=True),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("groups", sa.String(64), server_default="", nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        _at("whole_at"),
    )
    op.create_table(
        "directory_leavers",
        _of("provider_id", "identity_providers", is_key=True),
        _of("user_id", "users", is_key=True),
        _at("at"),
    )
    op.create_index("ix_directory_leavers_user", "directory_leavers", ["user_id"])


def downgrade() -> None:
    for table in ("directory_leavers", "directory_cursors", "directory_run_people", "directory_runs"):
        op.drop_table(table)
