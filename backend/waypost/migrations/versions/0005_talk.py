"""Conversation: what comments, mentions, canned replies keep.

Locks: ACCESS EXCLUSIVE on ticket_comments for the moment its columns are added (nullable, or with constant defaults, so
no row is written); the foreign keys of the new tables take SHARE ROW EXCLUSIVE on users, teams, tickets and
ticket_comments for the moment they are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_comments", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "ticket_comments", sa.Column("mention_ids", ARRAY(sa.BigInteger()), server_default="{}", nullable=False)
    )
    op.add_column("ticket_comments", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket_comments", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "comment_versions",
        sa.Column("comment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["ticket_comments.id"], name=op.f("fk_comment_versions_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "version", name=op.f("pk_comment_versions")),
    )
    op.create_table(
        "comment_drafts",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("visibility", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("visibility IN ('PUBLIC', 'INTERNAL')", name=op.f("ck_comment_drafts_visibility")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_comment_drafts_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_comment_drafts_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "ticket_id", "visibility", name=op.f("pk_comment_drafts")),
    )
    op.create_index("ix_comment_drafts_ticket", "comment_drafts", ["ticket_id"])
    op.create_index("ix_comment_drafts_updated", "comment_drafts", ["updated_at"])
    op.create_table(
        "canned_replies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(owner_id IS NULL) <> (team_id IS NULL)", name=op.f("ck_canned_replies_one_place")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_canned_replies_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_canned_replies_team_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
    )
    op.create_index("ix_canned_replies_owner", "canned_replies", ["owner_id", sa.text("lower(title)"), "id"])
    op.create_index("ix_canned_replies_team", "canned_replies", ["team_id", sa.text("lower(title)"), "id"])
    op.create_table(
        "canned_uses",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("reply_id", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_canned_uses_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reply_id"], ["canned_replies.id"], name=op.f("fk_canned_uses_reply_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "reply_id", name=op.f("pk_canned_uses")),
    )
    op.create_index("ix_canned_uses_reply", "canned_uses", ["reply_id"])


def downgrade() -> None:
    op.drop_table("canned_uses")
    op.drop_table("canned_replies")
    op.drop_table("comment_drafts")
    op.drop_table("comment_versions")
    for column in ("removed_at", "edited_at", "mention_ids", "version"):
        op.drop_column("ticket_comments", column)
