"""Few letters somewhere in a text: numbers of tickets by trigrams, one or two letters of anything by themselves.

Locks: a new function, and two indexes built concurrently; writing goes on. One that was interrupted is built anew.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_number_text": "(waypost_fold(ticket_number::text) gin_trgm_ops)",
    "ix_tickets_pairs": "(waypost_letters(ticket_number, title, ticket_type, currency, custom_fields))",
}


def upgrade() -> None:
    # Every letter of a folded text, alone and with the one that follows. Dear, so that a plan asks it last or of an index.
    # The body is bound when it is made: an index is built without looking names up in our schema.
    op.execute(
        "CREATE OR REPLACE FUNCTION waypost_pairs(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5000"
        " RETURN (SELECT coalesce(array_agg(DISTINCT p), '{}') FROM"
        " (SELECT unnest(ARRAY[c, c || lead(c) OVER (ORDER BY n)]) AS p"
        " FROM unnest(string_to_array(waypost_fold($1), NULL)) WITH ORDINALITY AS t(c, n)) AS q WHERE p IS NOT NULL)"
    )
    # Those of every text of a ticket that conditions look into.
    op.execute(
        "CREATE OR REPLACE FUNCTION waypost_letters(text, text, text, text, jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE"
        " PARALLEL SAFE COST 5000"
        " RETURN waypost_pairs($1 || ' ' || $2 || ' ' || $3 || ' ' || coalesce($4, '') || ' ' || $5::text)"
    )
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON tickets USING gin {columns}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in reversed(INDEXES):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP FUNCTION waypost_letters(text, text, text, text, jsonb)")
    op.execute("DROP FUNCTION waypost_pairs(text)")
