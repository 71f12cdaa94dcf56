"""An index of the words of people's names, whatever their accents, by which filters of a search find a person.

Locks: none that others wait for; the index is built beside the work going on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0136"
down_revision = "0141"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_users_words", "users"


def upgrade() -> None:
    # `unaccent` may be told of other rules one day, so PostgreSQL does not call it immutable; for names these stand.
    # What holds a name's parts together is a blank, and before the first word stands one too: a word begins behind a blank.
    op.execute("""
        CREATE OR REPLACE FUNCTION waypost_words_of_name(name text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN ' ' || btrim(translate(lower(unaccent(name)), $$-_.,;:/\\'"’`%()$$, repeat(' ', 16)))
    """)
    with op.get_context().autocommit_block():
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)  # of a run that was broken off
        op.create_index(
            NAME,
            TABLE,
            [sa.text("waypost_words_of_name(first_name || ' ' || last_name || ' ' || username) gin_trgm_ops")],
            postgresql_using="gin",
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(NAME, TABLE, if_exists=True, postgresql_concurrently=True)
    op.execute("DROP FUNCTION IF EXISTS waypost_words_of_name(text)")
