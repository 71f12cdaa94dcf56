"""How long entries of some kinds are kept: the policy, signed removals, and the one function that removes.

Locks: `audit_seals` for a moment (a column that may be null); tables that are new. The index over that column is built
CONCURRENTLY, last and outside of the transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0076"
down_revision = "0088"
branch_labels = None
depends_on = None

KINDS = (
    "auth.denied",
    "auth.login",
    "auth.login_failed",
    "auth.session_ended",
    "auth.step_up",
    "auth.step_up_failed",
    "audit.read",
    "evidence.asked",
    "evidence.taken",
    "ticket.read",
    "tickets.exported",
    "users.exported",
    "incoming_mail.answered",
    "notification.created",
    "notification.sent_again",
    "sms.answered",
    "audit.check_asked",
    "audit_stream.tried",
    "channel.failed",
    "channel.tested",
    "directory.failed",
    "mailbox.failed",
    "provider.tested",
    "system.alarm",
    "system.started",
)


def upgrade() -> None:
    op.create_table(
        "audit_retention",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("years", JSONB(), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "audit_removals",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("audit_seals", sa.Column("removed_in", sa.BigInteger(), nullable=True))
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON audit_removals"
        " FOR EACH ROW EXECUTE FUNCTION waypost_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_removals"
        " FOR EACH STATEMENT EXECUTE FUNCTION waypost_refuse_change()"
    )
    # It takes nobody's word: whatever the application says, only these kinds go, only after a year, only what a checkpoint
    # covers, every destination that is on has, and nobody is still to be told of. The seal stays, without the salt that nothing is left for.
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    op.execute(f"""
        CREATE FUNCTION waypost_remove_events(of_removal bigint, positions bigint[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET waypost.maintenance TO 'on' AS $$
        DECLARE
            gone bigint;
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM audit_removals WHERE number = of_removal)
                OR EXISTS (SELECT 1 FROM audit_removals WHERE number > of_removal)
                OR EXISTS (SELECT 1 FROM audit_seals WHERE removed_in = of_removal) THEN
                RAISE EXCEPTION 'removal % is not the last one, or was done', of_removal
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            IF EXISTS (
                SELECT 1 FROM audit_seals s LEFT JOIN events e ON e.id = s.event_id
                WHERE s.position = ANY(positions) AND (
                    e.id IS NULL OR e.type NOT IN ({kinds}) OR e.at > now() - interval '365 days'
                    OR s.position > (SELECT coalesce(max(position), 0) FROM audit_checkpoints WHERE kind = 'SEALED')
                    OR s.position > (SELECT min(position) FROM audit_streams WHERE is_on)
                    OR EXISTS (SELECT 1 FROM event_outbox o WHERE o.event_id = s.event_id)
                    OR EXISTS (SELECT 1 FROM event_deliveries d WHERE d.event_id = s.event_id)
                )
            ) THEN
                RAISE EXCEPTION 'these may not be removed' USING ERRCODE = 'insufficient_privilege';
            END IF;
            DELETE FROM events WHERE id IN (SELECT event_id FROM audit_seals WHERE position = ANY(positions));
            GET DIAGNOSTICS gone = ROW_COUNT;
            IF gone <> cardinality(positions) THEN
                RAISE EXCEPTION '% of % rows are there', gone, cardinality(positions);
            END IF;
            UPDATE audit_seals SET removed_in = of_removal, salt = NULL, leaves = NULL WHERE position = ANY(positions);
        END $$
    """)  # noqa: S608 - our own kinds
    op.execute("REVOKE ALL ON FUNCTION waypost_remove_events(bigint, bigint[]) FROM PUBLIC")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_audit_seals_removed_in")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_audit_seals_removed_in ON audit_seals (removed_in)"
            " WHERE removed_in IS NOT NULL"
        )


def downgrade() -> None:
    """What was removed is gone; the seals of it would say that somebody removed it."""
    op.execute("DROP FUNCTION waypost_remove_events(bigint, bigint[])")
    op.drop_column("audit_seals", "removed_in")
    op.drop_table("audit_removals")
    op.drop_table("audit_retention")
