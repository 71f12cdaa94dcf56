"""People and groups that are pushed by SCIM, the tokens that open the door for that, and what was asked for last.

Locks: everything is new.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

KEPT = sa.text("deleted_at IS NULL")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True)


def _provider(*, is_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("identity_providers.id", ondelete="CASCADE")
    return sa.Column("provider_id", sa.BigInteger(), key, primary_key=is_key, nullable=False, autoincrement=False)


def _of(name: str, table: str, *, is_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.BigInteger(), key, primary_key=is_key, nullable=False, autoincrement=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "scim_people",
        _id(),
        _provider(),
        _of("user_id", "users"),
        sa.Column("scim_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=True),
        sa.Column("user_name", sa.String(254), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=True),
        sa.Column("emails", postgresql.ARRAY(sa.String(254)), server_default="{}", nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _at("created_at"),
        _at("updated_at"),
        _at("disabled_at", nullable=True),
        _at("deleted_at", nullable=True),
    )
    op.create_index("uq_scim_people_scim_id", "scim_people", ["scim_id"], unique=True)
    op.create_index(
        "uq_scim_people_user_name", "scim_people", ["provider_id", sa.text("lower(user_name)")], unique=True, postgresql_where=KEPT
    )
    op.create_index("uq_scim_people_external_id", "scim_people", ["provider_id", "external_id"], unique=True, postgresql_where=KEPT)
    op.create_index("uq_scim_people_user", "scim_people", ["provider_id", "user_id"], unique=True, postgresql_where=KEPT)
    op.create_index("ix_scim_people_provider", "scim_people", ["provider_id", "id"], postgresql_where=KEPT)
    op.create_index(
        "ix_scim_people_display_name", "scim_people", ["provider_id", sa.text("lower(display_name)")], postgresql_where=KEPT
    )
    op.create_index("ix_scim_people_updated", "scim_people", ["provider_id", "updated_at"], postgresql_where=KEPT)
    op.create_index("ix_scim_people_disabled", "scim_people", ["provider_id", "disabled_at"])
    op.create_index("ix_scim_people_emails", "scim_people", ["emails"], postgresql_using="gin")
    op.create_index("ix_scim_people_user", "scim_people", ["user_id"])
    op.create_table(
        "scim_groups",
        _id(),
        _provider(),
        sa.Column("scim_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=True),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _at("created_at"),
        _at("updated_at"),
    )
    op.create_index("uq_scim_groups_scim_id", "scim_groups", ["scim_id"], unique=True)
    op.create_index(
        "uq_scim_groups_display_name", "scim_groups", ["provider_id", sa.text("lower(display_name)")], unique=True
    )
    op.create_index("uq_scim_groups_external_id", "scim_groups", ["provider_id", "external_id"], unique=True)
    op.create_index("ix_scim_groups_provider", "scim_groups", ["provider_id", "id"])
    op.create_index("ix_scim_groups_updated", "scim_groups", ["provider_id", "updated_at"])
    op.create_table(
        "scim_members",
        _of("group_id", "scim_groups", is_key=True),
        _of("person_id", "scim_people", is_key=True),
        sa.Column("display", sa.String(255), nullable=True),
    )
    op.create_index("ix_scim_members_person", "scim_members", ["person_id", "group_id"])
    op.create_table(
        "scim_tokens",
        _id(),
        _provider(),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
        _at("revoked_at", nullable=True),
    )
    op.create_index("uq_scim_tokens_hash", "scim_tokens", ["token_hash"], unique=True)
    op.create_index("ix_scim_tokens_provider", "scim_tokens", ["provider_id", "id"])
    op.create_index("ix_scim_tokens_created_by", "scim_tokens", ["created_by_id"])
    op.create_table(
        "scim_requests",
        _id(),
        _provider(),
        _at("at"),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
    )
    op.create_index("ix_scim_requests_provider", "scim_requests", ["provider_id", "id"])
    op.create_table(
        "scim_stops",
        _provider(is_key=True),
        _at("stopped_at", nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        _at("allowed_until", nullable=True),
        sa.Column(
            "allowed_by_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="SET NULL"), nullable=True
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_scim_stops_allowed_by", "scim_stops", ["allowed_by_id"])


def downgrade() -> None:
    for table in ("scim_stops", "scim_requests", "scim_tokens", "scim_members", "scim_groups", "scim_people"):
        op.drop_table(table)
