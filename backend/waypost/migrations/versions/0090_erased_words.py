"""Of the trail, what was searched for can be erased too, and what requests answered to fields that are sensitive now.

Locks: none; a function is replaced.
"""

from __future__ import annotations

from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None

PERSONAL = """path && ARRAY['address', 'email', 'email_before', 'first_name', 'ip_address', 'job_title',
                                'last_name', 'locale', 'name', 'names', 'number', 'phone', 'recipient', 'sender',
                                'subject', 'timezone', 'typed', 'user_agent', 'username']"""
SOUGHT = """(path IN (ARRAY['filters', 'q'], ARRAY['filters', 'address']) AND kind IN (
                            'audit.exported', 'audit.read', 'notification.sent_again', 'tickets.exported', 'users.exported'))"""
ANSWERED = """(kind = 'ticket.updated' AND path[1:2] = ARRAY['changes', 'custom_fields'] AND cardinality(path) >= 4)
                        OR (kind LIKE 'approval.%' AND path = ARRAY['reason'])"""


def _function(allowed: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION waypost_erase_values(of_event bigint, paths jsonb, kept jsonb) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET waypost.maintenance TO 'on' AS $$
        DECLARE
            path text[];
            kind text;
        BEGIN
            SELECT type INTO kind FROM events WHERE id = of_event;
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
                IF NOT coalesce({allowed}, false) THEN
                    RAISE EXCEPTION 'that is not personal: %', path USING ERRCODE = 'insufficient_privilege';
                END IF;
                UPDATE events SET data = jsonb_set(data, path, to_jsonb('[erased]'::text), false) WHERE id = of_event;
            END LOOP;
        END $$
    """


def upgrade() -> None:
    op.execute(_function(f"({PERSONAL} OR {SOUGHT} OR {ANSWERED})"))


def downgrade() -> None:
    op.execute(_function(f"({PERSONAL})"))
