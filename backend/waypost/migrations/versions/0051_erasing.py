"""Who read a confidential ticket is kept; values are erased from events that are not sealed yet too.

Locks: none; a function is replaced, and a table is new.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "confidential_reads",
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ticket_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_confidential_reads_ticket_id", "confidential_reads", ["ticket_id"])
    op.execute("""
        CREATE OR REPLACE FUNCTION waypost_erase_values(of_event bigint, paths jsonb, kept jsonb) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET waypost.maintenance TO 'on' AS $$
        DECLARE
            path text[];
        BEGIN
            IF kept IS NULL THEN
                IF EXISTS (SELECT 1 FROM audit_seals WHERE event_id = of_event) THEN
                    RAISE EXCEPTION 'event % is sealed: its hashes must be kept', of_event;
                END IF;
            ELSE
                UPDATE audit_seals SET salt = NULL, leaves = kept WHERE event_id = of_event;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'event % is not sealed', of_event;
                END IF;
            END IF;
            FOR path IN SELECT ARRAY(SELECT jsonb_array_elements_text(p)) FROM jsonb_array_elements(paths) AS p LOOP
                IF NOT path && ARRAY['address', 'email', 'email_before', 'first_name', 'ip_address', 'job_title',
                                     'last_name', 'locale', 'name', 'names', 'number', 'phone', 'recipient', 'sender',
                                     'subject', 'timezone', 'typed', 'user_agent', 'username'] THEN
                    RAISE EXCEPTION 'that is not personal: %', path USING ERRCODE = 'insufficient_privilege';
                END IF;
                UPDATE events SET data = jsonb_set(data, path, to_jsonb('[erased]'::text), false) WHERE id = of_event;
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """The function of before refused more; nothing that is kept depends on it."""
    op.drop_table("confidential_reads")
