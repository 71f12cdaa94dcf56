"""Saved views, and what conditions on all tickets need to be answered by an index.

Locks: new tables, whose foreign keys take SHARE ROW EXCLUSIVE on users, teams and roles for the moment they are added.
The indexes on tickets are built CONCURRENTLY, outside of a transaction: nobody waits for them, and one that broke off is
replaced when the migration runs again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_amount": "(amount) WHERE amount IS NOT NULL",
    "ix_tickets_due": "(due_date) WHERE due_date IS NOT NULL",
    "ix_tickets_custom": "USING gin (custom_fields jsonb_path_ops)",
    "ix_tickets_title": "USING gin (waypost_fold(title::text) gin_trgm_ops)",
}


def upgrade() -> None:
    # First what may be done twice, should building an index break off.
    # Capitals whose small letter is one character; the same table as kernel.conditions.evaluate.
    upper = "".join(c for c in map(chr, range(0x530)) if len(c.lower()) == 1 and c.lower() != c)
    # Nearly every text is plain ASCII, whose bytes are as many as its letters; looking letters up costs fifty times more.
    # Not STRICT, or PostgreSQL would call it for every row instead of taking its body into the query.
    op.execute(
        "CREATE OR REPLACE FUNCTION waypost_fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        ' AS $$ SELECT CASE WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C") COLLATE "default"'
        f" ELSE translate($1, '{upper}', '{upper.lower()}') END $$"
    )
    with op.get_context().autocommit_block():
        for name, what in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON tickets {what}")
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.String(length=64), nullable=True),
        sa.Column("condition", JSONB(), nullable=True),
        sa.Column("filters", JSONB(), nullable=False),
        sa.Column("sort", sa.String(length=16), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("group_by", sa.String(length=16), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "scope IN ('PERSONAL', 'TEAM', 'ROLE') AND (scope = 'TEAM') = (team_id IS NOT NULL)"
            " AND (scope = 'ROLE') = (role IS NOT NULL)",
            name=op.f("ck_saved_views_scope"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_saved_views_owner_id")),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_saved_views_team_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["role"], ["roles.key"], name=op.f("fk_saved_views_role"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_owner", "saved_views", ["owner_id", "name", "id"])
    op.create_index("ix_saved_views_team", "saved_views", ["team_id"], postgresql_where=sa.text("team_id IS NOT NULL"))
    op.create_index("ix_saved_views_role", "saved_views", ["role"], postgresql_where=sa.text("role IS NOT NULL"))
    op.create_index(
        "uq_saved_views_role_default",
        "saved_views",
        ["role"],
        unique=True,
        postgresql_where=sa.text("is_default AND scope = 'ROLE'"),
    )
    op.create_index(
        "uq_saved_views_own_default",
        "saved_views",
        ["owner_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND scope = 'PERSONAL'"),
    )
    op.create_table(
        "saved_view_pins",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("view_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_view_pins_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_views.id"], name=op.f("fk_saved_view_pins_view_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "view_id", name=op.f("pk_saved_view_pins")),
    )
    op.create_index("ix_saved_view_pins_view", "saved_view_pins", ["view_id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP FUNCTION waypost_fold(text)")
    op.drop_table("saved_view_pins")
    op.drop_table("saved_views")
