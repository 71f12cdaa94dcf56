"""Exports of personal data, and erasures that two administrators agree on.

Locks: none that anybody waits for; everything is new.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0054"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True)


def _person(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey("users.id"), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "personal_exports",
        _id(),
        _person("user_id"),
        _person("asked_by_id"),
        sa.Column("state", sa.String(16), nullable=False),
        _at("created_at"),
        _at("next_at", nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        _at("made_at", nullable=True),
        _at("expires_at", nullable=True),
        sa.Column("object_name", sa.String(64), nullable=True),
        sa.Column("key_id", sa.String(16), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("state IN ('WAITING', 'READY', 'FAILED', 'GONE')", name=op.f("ck_personal_exports_state")),
    )
    op.create_index("ix_personal_exports_user", "personal_exports", ["user_id", sa.text("id DESC")])
    op.create_index("ix_personal_exports_asked_by", "personal_exports", ["asked_by_id"])
    op.create_index("ix_personal_exports_object", "personal_exports", ["object_name"])
    op.create_index(
        "ix_personal_exports_waiting", "personal_exports", ["next_at"], postgresql_where=sa.text("state = 'WAITING'")
    )
    op.create_index(
        "ix_personal_exports_ready", "personal_exports", ["expires_at"], postgresql_where=sa.text("state = 'READY'")
    )
    op.create_table(
        "erasures",
        _id(),
        _person("user_id"),
        _person("asked_by_id"),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("settled_at", nullable=True),
        _person("done_by_id", nullable=True),
        sa.Column("erased", sa.dialects.postgresql.JSONB(), nullable=True),
    )
    op.create_index("uq_erasures_open", "erasures", ["user_id"], unique=True, postgresql_where=sa.text("settled_at IS NULL"))
    for column in ("user_id", "asked_by_id", "done_by_id"):
        op.create_index(f"ix_erasures_{column.removesuffix('_id')}", "erasures", [column])


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_table("personal_exports")
