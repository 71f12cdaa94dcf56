"""Tables of people that are brought, row by row, and what became of each.

Locks: the tables are new; `users` is locked for a moment against changes of its keys, for the references.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0092"
down_revision = "0110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("actor_id", sa.BigInteger(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("encoding", sa.String(16), nullable=False),
        sa.Column("separator", sa.String(1), nullable=False),
        sa.Column("headings", ARRAY(sa.Text()), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("plan", JSONB(), nullable=True),
        sa.Column("limited_to", ARRAY(sa.Text()), nullable=True),
        sa.Column("is_proved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("to_do", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('UPLOADED', 'CHECKED', 'RUNNING', 'FINISHED', 'CANCELLED')",
            name="status",
        ),
    )
    running = sa.text("status = 'RUNNING'")
    op.create_index("ix_people_imports_running", "people_imports", ["id"], postgresql_where=running)
    op.create_index("ix_people_imports_actor", "people_imports", ["actor_id", "id"])
    op.create_index("ix_people_imports_created", "people_imports", ["created_at"])
    op.create_table(
        "people_import_rows",
        sa.Column("job_id", sa.BigInteger(), sa.ForeignKey("people_imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("cells", ARRAY(sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(6), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
        sa.Column("changes", JSONB(), nullable=True),
        sa.Column("errors", JSONB(), nullable=True),
        sa.Column("leaves", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("waits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", JSONB(), nullable=True),
        sa.CheckConstraint("outcome IN ('NEW', 'CHANGE', 'SAME', 'WRONG')", name="outcome"),
        sa.CheckConstraint("status IN ('WAITING', 'PENDING', 'DONE', 'FAILED')", name="status"),
    )
    op.create_index("ix_people_import_rows_position", "people_import_rows", ["job_id", "status", "position"])
    op.create_index("ix_people_import_rows_outcome", "people_import_rows", ["job_id", "outcome", "number"])
    op.create_index("ix_people_import_rows_user", "people_import_rows", ["user_id"])


def downgrade() -> None:
    for table in ("people_import_rows", "people_imports"):
        op.drop_table(table)
