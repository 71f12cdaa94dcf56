"""Second factors: authenticator apps, recovery codes, sign-ins that wait for one, and who has to have one.

Locks: `roles` gets a column with a constant default (no rewrite; its lock is held for a moment); the rest is new.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True)


def _person(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("roles", sa.Column("needs_second_factor", sa.Boolean(), server_default="false", nullable=False))
    op.create_table(
        "totp_secrets",
        _id(),
        _person("user_id"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_with", sa.String(16), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        _at("created_at"),
        _at("confirmed_at", nullable=True),
    )
    op.create_index("uq_totp_secrets_user", "totp_secrets", ["user_id", sa.text("(confirmed_at IS NULL)")], unique=True)
    op.create_table(
        "passkeys",
        _id(),
        _person("user_id"),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.String(100), server_default="", nullable=False),
        sa.Column("is_synced", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        _at("created_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("uq_passkeys_credential", "passkeys", [sa.text("md5(credential_id)")], unique=True)
    op.create_index("ix_passkeys_user", "passkeys", ["user_id"])
    op.create_table(
        "passkey_challenges",
        sa.Column("challenge_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=True),
        _at("expires_at"),
    )
    op.create_index("ix_passkey_challenges_user", "passkey_challenges", ["user_id"])
    op.create_index("ix_passkey_challenges_expires", "passkey_challenges", ["expires_at"])
    op.create_table(
        "recovery_codes",
        _id(),
        _person("user_id"),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _at("created_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("uq_recovery_codes_code", "recovery_codes", ["user_id", "code_hash"], unique=True)
    op.create_table(
        "sign_in_challenges",
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        _person("user_id"),
        sa.Column("method", sa.String(16), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("ix_sign_in_challenges_user", "sign_in_challenges", ["user_id"])
    op.create_index("ix_sign_in_challenges_expires", "sign_in_challenges", ["expires_at"])
    op.create_table(
        "factor_resets",
        _id(),
        _person("user_id"),
        _person("asked_by_id"),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("settled_at", nullable=True),
    )
    op.create_index(
        "uq_factor_resets_open", "factor_resets", ["user_id"], unique=True, postgresql_where=sa.text("settled_at IS NULL")
    )
    op.create_index("ix_factor_resets_user", "factor_resets", ["user_id"])
    op.create_index("ix_factor_resets_asked_by", "factor_resets", ["asked_by_id"])


def downgrade() -> None:
    for table in ("factor_resets", "sign_in_challenges", "recovery_codes", "passkey_challenges", "passkeys", "totp_secrets"):
        op.drop_table(table)
    op.drop_column("roles", "needs_second_factor")
