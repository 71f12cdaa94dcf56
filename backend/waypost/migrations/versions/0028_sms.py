"""Text messages: codes to answer with, what came in, what a message cost, and whether it reached the phone.

Locks: two new tables, one of whose foreign keys take SHARE ROW EXCLUSIVE on approval_steps and users for the moment they
are added; three new nullable columns without defaults, which lock notification_deliveries for a moment only.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

DELIVERIES = "notification_deliveries"


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "sms_reply_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
        _at("voided_at", nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sms_reply_codes_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["step_id"], ["approval_steps.id"], name=op.f("fk_sms_reply_codes_step_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_reply_codes")),
    )
    op.create_index("uq_sms_reply_codes_code", "sms_reply_codes", ["code_hash"], unique=True)
    op.create_index(
        "ix_sms_reply_codes_phone",
        "sms_reply_codes",
        ["phone"],
        postgresql_where=sa.text("used_at IS NULL AND voided_at IS NULL"),
    )
    op.create_index("ix_sms_reply_codes_user", "sms_reply_codes", ["user_id"])
    op.create_index("ix_sms_reply_codes_step", "sms_reply_codes", ["step_id"])
    op.create_index("ix_sms_reply_codes_expires", "sms_reply_codes", ["expires_at"])
    op.create_table(
        "sms_incoming",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("provider_id", sa.String(length=128), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        _at("received_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_incoming")),
    )
    op.create_index("uq_sms_incoming_message", "sms_incoming", ["provider", "provider_id"], unique=True)
    op.create_index("ix_sms_incoming_phone", "sms_incoming", ["phone", sa.text("id DESC")])
    op.create_index("ix_sms_incoming_received", "sms_incoming", ["received_at"])
    for column in ("segments smallint", "receipt varchar(16)", "receipt_at timestamptz"):
        op.execute(f"ALTER TABLE {DELIVERIES} ADD COLUMN IF NOT EXISTS {column}")


def downgrade() -> None:
    for column in ("segments", "receipt", "receipt_at"):
        op.execute(f"ALTER TABLE {DELIVERIES} DROP COLUMN IF EXISTS {column}")
    op.drop_table("sms_incoming")
    op.drop_table("sms_reply_codes")
