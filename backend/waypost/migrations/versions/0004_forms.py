"""Catalogue: categories with an order of their own, everyday words of a type, who made a form's version and why.

Locks: ACCESS EXCLUSIVE on ticket_types and form_versions for a moment each (columns with constant defaults); SHARE ROW
EXCLUSIVE while foreign keys are added, without looking at rows. Both tables hold a company's kinds of request: few rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("name", name=op.f("uq_categories_name")),
    )
    # Every category a type names already; "Other", where types without one belong, comes last.
    op.execute(
        """
        INSERT INTO categories (name, position)
        SELECT name, row_number() OVER (ORDER BY name = 'Other', name)
        FROM (SELECT category AS name FROM ticket_types UNION SELECT 'Other') AS known
        """
    )
    op.add_column(
        "ticket_types", sa.Column("keywords", sa.ARRAY(sa.String(length=50)), server_default="{}", nullable=False)
    )
    op.create_index("ix_ticket_types_category", "ticket_types", ["category"])
    op.create_foreign_key(
        op.f("fk_ticket_types_category"),
        "ticket_types",
        "categories",
        ["category"],
        ["name"],
        onupdate="CASCADE",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE ticket_types VALIDATE CONSTRAINT fk_ticket_types_category")
    op.add_column("form_versions", sa.Column("created_by_id", sa.BigInteger(), nullable=True))
    op.add_column("form_versions", sa.Column("note", sa.String(length=500), server_default="", nullable=False))
    op.add_column("form_versions", sa.Column("restored_from", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_form_versions_created_by_id"),
        "form_versions",
        "users",
        ["created_by_id"],
        ["id"],
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE form_versions VALIDATE CONSTRAINT fk_form_versions_created_by_id")


def downgrade() -> None:
    op.drop_constraint("fk_form_versions_created_by_id", "form_versions", type_="foreignkey")
    op.drop_column("form_versions", "restored_from")
    op.drop_column("form_versions", "note")
    op.drop_column("form_versions", "created_by_id")
    op.drop_constraint("fk_ticket_types_category", "ticket_types", type_="foreignkey")
    op.drop_index("ix_ticket_types_category", "ticket_types")
    op.drop_column("ticket_types", "keywords")
    op.drop_table("categories")
