"""Imports of tickets: the files people bring, their rows, and what tickets were called where they came from.

Locks: new tables only; the foreign keys take SHARE ROW EXCLUSIVE on users, tickets and ticket_types for the moment they
are added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("encoding", sa.String(length=16), nullable=False),
        sa.Column("separator", sa.String(length=1), nullable=False),
        sa.Column("headings", ARRAY(TEXT), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("plan", JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('UPLOADED', 'CHECKING', 'CHECKED', 'RUNNING', 'FINISHED', 'CANCELLED')",
            name=op.f("ck_ticket_imports_status"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_ticket_imports_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_imports")),
    )
    due = sa.text("status IN ('CHECKING', 'RUNNING')")
    op.create_index("ix_ticket_imports_due", "ticket_imports", ["id"], postgresql_where=due)
    op.create_index("ix_ticket_imports_actor", "ticket_imports", ["actor_id", "id"])
    op.create_index("ix_ticket_imports_created", "ticket_imports", ["created_at"])
    op.create_table(
        "ticket_import_rows",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cells", ARRAY(TEXT), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("errors", JSONB(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'READY', 'WRONG', 'DUPLICATE', 'DONE', 'FAILED')",
            name=op.f("ck_ticket_import_rows_status"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["ticket_imports.id"], name=op.f("fk_ticket_import_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_ticket_import_rows")),
    )
    op.create_index("ix_ticket_import_rows_status", "ticket_import_rows", ["import_id", "status", "number"])
    op.create_table(
        "ticket_imported_keys",
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("external_key", sa.String(length=200), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"], ["ticket_types.id"], name=op.f("fk_ticket_imported_keys_ticket_type_id")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_imported_keys_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_type_id", "external_key", name=op.f("pk_ticket_imported_keys")),
    )
    op.create_index("ix_ticket_imported_keys_ticket", "ticket_imported_keys", ["ticket_id"])


def downgrade() -> None:
    for table in ("ticket_imported_keys", "ticket_import_rows", "ticket_imports"):
        op.drop_table(table)
