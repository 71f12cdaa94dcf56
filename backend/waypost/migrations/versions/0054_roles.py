"""Roles that end, roles with versions, and changes of roles that a second administrator confirms.

Locks: `user_roles` and `roles` get columns with constant defaults (no rewrite; their locks are held for a moment). The
foreign key is added without being checked and checked afterwards, under a lock that lets reading and writing go on. The
indexes on `user_roles`, which has a few rows a person, bar its writes for as long as they are built. The rest is new.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, table: str, *, gone: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(f"{table}.id", ondelete=gone), nullable=nullable)


def upgrade() -> None:
    op.add_column("roles", sa.Column("description", sa.String(500), server_default="", nullable=False))
    op.add_column("roles", sa.Column("is_privileged", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("roles", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "role_rules",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("needs_two", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("known", postgresql.ARRAY(sa.String(64)), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("id = 1", name="ck_role_rules_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_role_rules"),
    )
    op.execute("INSERT INTO role_rules (id) VALUES (1)")
    op.create_table(
        "role_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        _ref("role_id", "roles", gone="CASCADE", nullable=True),
        _ref("user_id", "users", gone="CASCADE", nullable=True),
        sa.Column("role_version", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        _ref("asked_by_id", "users", gone="CASCADE"),
        _at("created_at"),
        _at("expires_at"),
        _at("settled_at", nullable=True),
        _ref("settled_by_id", "users", gone="SET NULL", nullable=True),
        sa.Column("outcome", sa.String(16), nullable=True),
    )
    op.create_index(
        "uq_role_changes_open",
        "role_changes",
        ["kind", sa.text("coalesce(role_id, 0)"), sa.text("coalesce(user_id, 0)")],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    for column in ("role_id", "user_id", "asked_by_id", "settled_by_id"):
        op.create_index(f"ix_role_changes_{column.removesuffix('_id')}", "role_changes", [column])
    op.add_column("user_roles", _at("granted_at", nullable=True))
    op.add_column("user_roles", sa.Column("granted_by_id", sa.BigInteger(), nullable=True))
    op.add_column("user_roles", sa.Column("reason", sa.String(500), server_default="", nullable=False))
    op.add_column("user_roles", _at("expires_at", nullable=True))
    op.add_column("user_roles", _at("told_at", nullable=True))
    op.execute(
        "ALTER TABLE user_roles ADD CONSTRAINT fk_user_roles_granted_by_id FOREIGN KEY (granted_by_id)"
        " REFERENCES users (id) ON DELETE SET NULL NOT VALID"
    )
    op.execute("ALTER TABLE user_roles VALIDATE CONSTRAINT fk_user_roles_granted_by_id")
    # a few rows a person: built within the transaction in no time, and gone with it when something fails
    op.create_index(
        "ix_user_roles_expires", "user_roles", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    op.create_index(
        "ix_user_roles_granted_by",
        "user_roles",
        ["granted_by_id"],
        postgresql_where=sa.text("granted_by_id IS NOT NULL"),
    )
    # the people of a role are read in pages
    op.drop_index("ix_user_roles_role", "user_roles")
    op.create_index("ix_user_roles_role", "user_roles", ["role_id", "user_id"])


def downgrade() -> None:
    op.drop_index("ix_user_roles_role", "user_roles")
    op.create_index("ix_user_roles_role", "user_roles", ["role_id"])
    op.drop_index("ix_user_roles_granted_by", "user_roles")
    op.drop_index("ix_user_roles_expires", "user_roles")
    for column in ("told_at", "expires_at", "reason", "granted_by_id", "granted_at"):
        op.drop_column("user_roles", column)
    op.drop_table("role_changes")
    op.drop_table("role_rules")
    for column in ("version", "is_privileged", "description"):
        op.drop_column("roles", column)
