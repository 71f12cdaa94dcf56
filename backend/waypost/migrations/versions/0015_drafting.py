"""Workflows are drafted before they are published; a version says why it was made, and which one it repeats.

Locks: small tables of configuration; new columns that are empty or have a constant default lock them for a moment, and
the reference is validated without keeping anybody from writing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DRAFT = ("draft_at", "draft_by_id", "draft_base", "draft_version", "draft")


def upgrade() -> None:
    op.add_column("approval_definitions", sa.Column("draft", postgresql.JSONB))
    op.add_column("approval_definitions", sa.Column("draft_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("approval_definitions", sa.Column("draft_base", sa.Integer))
    op.add_column("approval_definitions", sa.Column("draft_by_id", sa.BigInteger))
    op.add_column("approval_definitions", sa.Column("draft_at", sa.DateTime(timezone=True)))
    op.execute(
        "ALTER TABLE approval_definitions ADD CONSTRAINT fk_approval_definitions_draft_by_id"
        " FOREIGN KEY (draft_by_id) REFERENCES users (id) NOT VALID"
    )
    op.execute("ALTER TABLE approval_definitions VALIDATE CONSTRAINT fk_approval_definitions_draft_by_id")
    op.add_column("approval_definition_versions", sa.Column("note", sa.Text, nullable=False, server_default=""))
    op.add_column("approval_definition_versions", sa.Column("restored_from", sa.Integer))


def downgrade() -> None:
    op.drop_column("approval_definition_versions", "restored_from")
    op.drop_column("approval_definition_versions", "note")
    # What was never published has no version to go back to.
    op.execute("DELETE FROM approval_definitions WHERE version = 0")
    for column in DRAFT:
        op.drop_column("approval_definitions", column)
