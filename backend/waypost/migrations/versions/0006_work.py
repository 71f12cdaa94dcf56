"""Working a ticket: watchers, tags, checklist, links, confidentiality.

Locks: the new columns of tickets are constants, added under ACCESS EXCLUSIVE for a moment and without a rewrite; the
foreign key on tickets is checked afterwards, under SHARE UPDATE EXCLUSIVE; indexes on tickets are built concurrently. The
new tables' foreign keys take SHARE ROW EXCLUSIVE on tickets and users for the moment they are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEXES = ("ix_tickets_made_for_others", "ix_tickets_tags", "ix_tickets_merged")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("tags", sa.dialects.postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("tickets", sa.Column("is_confidential", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("tickets", sa.Column("checklist_done", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("tickets", sa.Column("checklist_total", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("tickets", sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_tickets_merged_into_id"), "tickets", "tickets", ["merged_into_id"], ["id"], postgresql_not_valid=True
    )
    op.create_table(
        "ticket_watchers",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gives_sight", sa.Boolean(), nullable=False),
        sa.Column("added_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_watchers_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ticket_watchers_user_id")),
        sa.ForeignKeyConstraint(["added_by_id"], ["users.id"], name=op.f("fk_ticket_watchers_added_by_id")),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_watchers")),
    )
    op.create_index("ix_ticket_watchers_user", "ticket_watchers", ["user_id", "ticket_id"])
    op.create_table(
        "ticket_tags",
        sa.Column("tag", sa.String(length=40, collation="C"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_tags_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag", "ticket_id", name=op.f("pk_ticket_tags")),
    )
    op.create_index("ix_ticket_tags_ticket", "ticket_tags", ["ticket_id"])
    op.create_table(
        "checklist_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("done_by_id", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_checklist_items_ticket_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["done_by_id"], ["users.id"], name=op.f("fk_checklist_items_done_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_items")),
    )
    op.create_index("ix_checklist_items_ticket", "checklist_items", ["ticket_id", "position"])
    op.create_table(
        "ticket_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('PARENT', 'DUPLICATE', 'BLOCKS', 'RELATES')", name=op.f("ck_ticket_links_kind")),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_ticket_links_two")),
        sa.ForeignKeyConstraint(["from_id"], ["tickets.id"], name=op.f("fk_ticket_links_from_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["to_id"], ["tickets.id"], name=op.f("fk_ticket_links_to_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_ticket_links_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
    )
    op.create_index("ix_ticket_links_from", "ticket_links", ["from_id", "kind", "to_id"], unique=True)
    op.create_index("ix_ticket_links_to", "ticket_links", ["to_id"])
    op.create_index(
        "ix_ticket_links_one_parent",
        "ticket_links",
        ["to_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'PARENT'"),
    )
    with op.get_context().autocommit_block():
        for name in _INDEXES:  # what an earlier try that broke off left behind is not valid
            op.drop_index(name, "tickets", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_tickets_made_for_others",
            "tickets",
            ["created_by_id", sa.text("created_at DESC"), sa.text("id DESC")],
            postgresql_where=sa.text("created_by_id <> requester_id"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_tickets_tags",
            "tickets",
            ["tags"],
            postgresql_using="gin",
            postgresql_ops={"tags": "jsonb_path_ops"},
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_tickets_merged",
            "tickets",
            ["merged_into_id"],
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.execute("ALTER TABLE tickets VALIDATE CONSTRAINT fk_tickets_merged_into_id")


def downgrade() -> None:
    for table in ("ticket_links", "checklist_items", "ticket_tags", "ticket_watchers"):
        op.drop_table(table)
    for name in _INDEXES:
        op.drop_index(name, "tickets")
    for column in ("merged_into_id", "checklist_total", "checklist_done", "is_confidential", "tags"):
        op.drop_column("tickets", column)
