"""Identity providers: what they are, whom they know, what their groups give, and sign-ins by them.

Locks: `user_roles`, `login_sessions` and `sign_in_challenges` get columns that are null or have a constant default (no
rewrite; ACCESS EXCLUSIVE for a moment each) and foreign keys to a table that is new and empty: they are added without a
look at the rows (NOT VALID) and validated under SHARE UPDATE EXCLUSIVE, which lets reads and writes pass. Their indexes are
a revision of their own.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

KEYS = (("user_roles", "CASCADE"), ("login_sessions", "SET NULL"), ("sign_in_challenges", "CASCADE"))


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True)


def _of(name: str, table: str, *, nullable: bool = False, is_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.BigInteger(), key, nullable=nullable, primary_key=is_key)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default="false", nullable=False)


def upgrade() -> None:
    op.create_table(
        "identity_providers",
        _id(),
        sa.Column("key", sa.String(40), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        _flag("is_on"),
        sa.Column("settings", JSONB(), server_default="{}", nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_with", sa.String(16), nullable=True),
        _flag("creates_people"),
        sa.Column("links_by", sa.String(16), server_default="NONE", nullable=False),
        _flag("updates_people"),
        _flag("trusts_second_factor"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        _at("failed_at", nullable=True),
        _at("worked_at", nullable=True),
        _at("created_at"),
        _at("updated_at"),
    )
    op.create_table(
        "identities",
        _id(),
        _of("provider_id", "identity_providers"),
        sa.Column("subject", sa.String(300), nullable=False),
        _of("user_id", "users"),
        _at("created_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("uq_identities_subject", "identities", ["provider_id", "subject"], unique=True)
    op.create_index("ix_identities_user", "identities", ["user_id"])
    op.create_table(
        "provider_groups",
        _of("provider_id", "identity_providers", is_key=True),
        sa.Column("group_name", sa.String(300), primary_key=True),
        _of("role_id", "roles", is_key=True),
    )
    op.create_index("ix_provider_groups_role", "provider_groups", ["role_id"])
    op.create_table(
        "sign_in_transactions",
        sa.Column("state_hash", sa.LargeBinary(), primary_key=True),
        _of("provider_id", "identity_providers"),
        sa.Column("purpose", sa.String(16), nullable=False),
        _of("person_id", "users", nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(100), nullable=True),
        sa.Column("verifier", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.String(100), nullable=True),
        sa.Column("next_path", sa.String(2000), nullable=False),
        sa.Column("ticket_hash", sa.LargeBinary(), nullable=True, unique=True),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_with", sa.String(16), nullable=True),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("ix_sign_in_transactions_provider", "sign_in_transactions", ["provider_id"])
    op.create_index("ix_sign_in_transactions_person", "sign_in_transactions", ["person_id"])
    op.create_index("ix_sign_in_transactions_expires", "sign_in_transactions", ["expires_at"])
    op.create_table(
        "seen_provider_tokens",
        _of("provider_id", "identity_providers", is_key=True),
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        _at("expires_at"),
    )
    op.create_index("ix_seen_provider_tokens_expires", "seen_provider_tokens", ["expires_at"])
    op.add_column("login_sessions", _flag("is_vouched"))
    for table in ("login_sessions", "sign_in_challenges"):
        op.add_column(table, sa.Column("provider_session", sa.String(1000), nullable=True))
        op.add_column(table, sa.Column("provider_hint", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("provider_hint_sealed_with", sa.String(16), nullable=True))
    for table, on_delete in KEYS:
        op.add_column(table, sa.Column("provider_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            f"fk_{table}_provider_id",
            table,
            "identity_providers",
            ["provider_id"],
            ["id"],
            ondelete=on_delete,
            postgresql_not_valid=True,
        )
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT fk_{table}_provider_id")
    # the administrators of an installation that is there already may set providers up
    op.execute(
        "INSERT INTO role_permissions (role_id, permission, scope) "
        "SELECT id, 'identity:configure', 9 FROM roles WHERE key = 'admin' ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM user_roles WHERE provider_id IS NOT NULL")
    op.execute("DELETE FROM role_permissions WHERE permission = 'identity:configure'")
    for table, _ in KEYS:
        op.drop_column(table, "provider_id")
    for table in ("login_sessions", "sign_in_challenges"):
        for column in ("provider_session", "provider_hint", "provider_hint_sealed_with"):
            op.drop_column(table, column)
    op.drop_column("login_sessions", "is_vouched")
    for table in (
        "seen_provider_tokens",
        "sign_in_transactions",
        "provider_groups",
        "identities",
        "identity_providers",
    ):
        op.drop_table(table)
