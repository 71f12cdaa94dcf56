"""Full text of tickets in a narrow table of its own, filled by the worker; the list's first text table goes.

Locks: the new tables are empty and nobody waits for them; `search_documents` and `attachment_texts` take the lock of a foreign
key on `tickets` and `attachments` for a moment. `ticket_texts` is dropped: nothing reads it any more. The worker fills the
index with what there is, newest first (about a thousand tickets a second); until then older ones are not found by words.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from waypost.kernel.events import Xid8

revision = "0104"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("is_inner", sa.Boolean(), nullable=False),
        sa.Column("is_fullest", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.Column("marks", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_search_documents_ticket_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "is_inner", name="pk_search_documents"),
    )
    op.create_index("ix_search_documents_words", "search_documents", ["words", "marks"], postgresql_using="gin")
    op.create_table(
        "search_pending",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_search_pending"),
    )
    op.create_table(
        "search_progress",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("txid", Xid8(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("fill_below", sa.BigInteger(), nullable=True),
        sa.Column("filled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("words_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_search_progress"),
    )
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_search_words"),
    )
    op.create_index(
        "ix_search_words_letters", "search_words", [sa.text("word gin_trgm_ops")], postgresql_using="gin"
    )
    op.create_table(
        "attachment_texts",
        sa.Column("attachment_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("is_cut", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("why", sa.String(200), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachments.id"], name="fk_attachment_texts_attachment_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("attachment_id", name="pk_attachment_texts"),
    )
    op.create_index(
        "ix_attachment_texts_waiting",
        "attachment_texts",
        ["next_at"],
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    # what happens from here on is followed in the log; what is there already is gone through from the newest on
    op.execute(
        "INSERT INTO search_progress (id, txid, event_id, fill_below)"
        " SELECT 1, pg_snapshot_xmin(pg_current_snapshot()), 0, 9223372036854775807"
    )
    op.drop_table("ticket_texts")


def downgrade() -> None:
    op.create_table(
        "ticket_texts",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_texts_ticket_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_texts"),
    )
    op.create_index("ix_ticket_texts_document", "ticket_texts", ["document"], postgresql_using="gin")
    op.execute(
        "INSERT INTO ticket_texts SELECT id, setweight(to_tsvector('simple', ticket_number || ' ' || title), 'A')"
        " || setweight(to_tsvector('simple', left(description, 50000)), 'B') FROM tickets"
    )
    op.drop_table("attachment_texts")
    op.drop_table("search_words")
    op.drop_table("search_progress")
    op.drop_table("search_pending")
    op.drop_table("search_documents")
