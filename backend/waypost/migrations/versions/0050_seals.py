"""The log is sealed: a chain of hashes over its events, signed checkpoints, and a database that refuses to change either.

Locks: `events` gets two triggers (writers wait for a moment); the rest is new. Events of before are sealed by the worker,
in batches. The application's own role may be kept from changing the log altogether: `waypost database-grants`.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0046"
branch_labels = None
depends_on = None

SEALED = ("events", "audit_seals", "audit_checkpoints")


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("leaves", postgresql.JSONB(), nullable=True),
        sa.UniqueConstraint("event_id", name="uq_audit_seals_event_id"),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        _at("at"),
    )
    op.create_index("ix_audit_checkpoints_position", "audit_checkpoints", ["position", "number"])
    op.create_table(
        "audit_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), primary_key=True),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=True),
        _at("asked_at"),
        _at("started_at", nullable=True),
        _at("finished_at", nullable=True),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=True),
    )
    op.create_index(
        "ix_audit_checks_open", "audit_checks", ["asked_at"], postgresql_where=sa.text("finished_at IS NULL")
    )
    op.execute("""
        CREATE FUNCTION waypost_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('waypost.maintenance', true) IS DISTINCT FROM 'on' THEN
                RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN COALESCE(NEW, OLD);
        END $$
    """)
    for table in SEALED:
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION waypost_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION waypost_refuse_change()"
        )
    # The one change the application may make: a personal value of a sealed event gives way to a word, and the salt with
    # which it could be found again goes with it. What is kept instead is the value's hash, so the chain still holds.
    op.execute("""
        CREATE FUNCTION waypost_erase_values(of_event bigint, paths jsonb, kept jsonb) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET waypost.maintenance TO 'on' AS $$
        DECLARE
            path text[];
        BEGIN
            UPDATE audit_seals SET salt = NULL, leaves = kept WHERE event_id = of_event;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'event % is not sealed', of_event;
            END IF;
            FOR path IN SELECT ARRAY(SELECT jsonb_array_elements_text(p)) FROM jsonb_array_elements(paths) AS p LOOP
                IF NOT path && ARRAY['address', 'changes', 'email', 'first_name', 'ip_address', 'job_title', 'last_name',
                                     'name', 'names', 'number', 'phone', 'recipient', 'sender', 'subject', 'typed',
                                     'user_agent', 'username'] THEN
                    RAISE EXCEPTION 'that is not personal: %', path USING ERRCODE = 'insufficient_privilege';
                END IF;
                UPDATE events SET data = jsonb_set(data, path, to_jsonb('[erased]'::text), false) WHERE id = of_event;
            END LOOP;
        END $$
    """)
    # It makes a sequence for each type and year, which a role that owns nothing could not.
    op.execute("ALTER FUNCTION next_ticket_number(text, integer) SECURITY DEFINER SET search_path FROM CURRENT")
    op.execute("REVOKE ALL ON FUNCTION waypost_erase_values(bigint, jsonb, jsonb) FROM PUBLIC")


def downgrade() -> None:
    op.execute("ALTER FUNCTION next_ticket_number(text, integer) SECURITY INVOKER RESET search_path")
    op.execute("DROP FUNCTION waypost_erase_values(bigint, jsonb, jsonb)")
    for table in SEALED:
        op.execute(f"DROP TRIGGER only_added ON {table}")
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    op.execute("DROP FUNCTION waypost_refuse_change()")
    for table in ("audit_checks", "audit_checkpoints", "audit_seals"):
        op.drop_table(table)
