"""Mail coming in: mailboxes, and the log of what came.

Locks: none that anybody waits for; both tables are new. (Their foreign keys take a short SHARE ROW EXCLUSIVE lock on the
tables they name, which are not read through.)
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
OUTCOMES = "'PENDING', 'TICKET', 'COMMENT', 'BOUNCE', 'AUTO_REPLY', 'IGNORED', 'REFUSED', 'QUARANTINED', 'DISCARDED'"
INDEXES = {
    "uq_incoming_mails_place": "(mailbox_id, uidvalidity, uid)",
    "ix_incoming_mails_message_id": "(message_id) WHERE message_id IS NOT NULL",
    "ix_incoming_mails_content_hash": "(content_hash)",
    "ix_incoming_mails_from": "(from_address, created_at)",
    "ix_incoming_mails_due": "(next_at, id) WHERE outcome = 'PENDING'",
    "ix_incoming_mails_quarantined": "(id DESC) WHERE outcome = 'QUARANTINED'",
    "ix_incoming_mails_outcome": "(outcome, id DESC)",
    "ix_incoming_mails_mailbox": "(mailbox_id, id DESC)",
    "ix_incoming_mails_raw": "(raw_name) WHERE raw_name IS NOT NULL",
    "ix_incoming_mails_ticket": "(ticket_id) WHERE ticket_id IS NOT NULL",
    "ix_incoming_mails_comment": "(comment_id) WHERE comment_id IS NOT NULL",
    "ix_incoming_mails_user": "(user_id) WHERE user_id IS NOT NULL",
    "ix_incoming_mails_text": "USING gin (waypost_fold(subject || ' ' || from_address) gin_trgm_ops)",
}
UNIQUE = ("uq_incoming_mails_place", "ix_incoming_mails_raw")


def upgrade() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("host", sa.String(253), nullable=False, server_default=""),
        sa.Column("port", sa.Integer, nullable=False, server_default="993"),
        sa.Column("security", sa.String(16), nullable=False, server_default="tls"),
        sa.Column("username", sa.String(254), nullable=False, server_default=""),
        sa.Column("settings", JSONB, nullable=False, server_default="{}"),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("sealed_with", sa.String(16)),
        sa.Column("folder", sa.String(200), nullable=False, server_default="INBOX"),
        sa.Column("ticket_type_id", sa.BigInteger, sa.ForeignKey("ticket_types.id"), nullable=False),
        sa.Column("team_id", sa.BigInteger, sa.ForeignKey("teams.id")),
        sa.Column("unknown_senders", sa.String(16), nullable=False, server_default="QUARANTINE"),
        sa.Column("accept_as_user_id", sa.BigInteger, sa.ForeignKey("users.id")),
        sa.Column("agents_reply", sa.String(16), nullable=False, server_default="PUBLIC"),
        sa.Column("authserv_id", sa.String(253)),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("uidvalidity", sa.BigInteger),
        sa.Column("last_uid", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failures", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("open_until", AT),
        sa.Column("last_error", sa.Text),
        sa.Column("failed_at", AT),
        sa.Column("worked_at", AT),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.CheckConstraint("kind IN ('imap', 'graph')", name="ck_mailboxes_kind"),
        sa.CheckConstraint("security IN ('tls', 'starttls')", name="ck_mailboxes_security"),
        sa.CheckConstraint(
            "unknown_senders IN ('QUARANTINE', 'REFUSE', 'ACCEPT')", name="ck_mailboxes_unknown_senders"
        ),
        sa.CheckConstraint(
            "unknown_senders <> 'ACCEPT' OR accept_as_user_id IS NOT NULL", name="ck_mailboxes_accept_as"
        ),
        sa.CheckConstraint("agents_reply IN ('PUBLIC', 'INTERNAL')", name="ck_mailboxes_agents_reply"),
    )
    op.execute("CREATE UNIQUE INDEX uq_mailboxes_address ON mailboxes (lower(address))")
    for column in ("ticket_type_id", "team_id", "accept_as_user_id"):
        op.create_index(f"ix_mailboxes_{column}", "mailboxes", [column])
    op.create_table(
        "incoming_mails",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("mailbox_id", sa.BigInteger, sa.ForeignKey("mailboxes.id", ondelete="SET NULL")),
        sa.Column("uidvalidity", sa.BigInteger, nullable=False),
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.String(998)),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("from_address", sa.String(254), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("is_whole", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("raw_name", sa.String(64)),
        sa.Column("raw_size", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("raw_key_id", sa.String(16)),
        sa.Column("raw_key", sa.LargeBinary),
        sa.Column("outcome", sa.String(16), nullable=False, server_default="PENDING"),
        sa.Column("reason", sa.Text),
        sa.Column("ticket_id", sa.BigInteger, sa.ForeignKey("tickets.id", ondelete="SET NULL")),
        sa.Column("comment_id", sa.BigInteger, sa.ForeignKey("ticket_comments.id", ondelete="SET NULL")),
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("next_at", AT, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("settled_at", AT),
        sa.CheckConstraint(f"outcome IN ({OUTCOMES})", name="ck_incoming_mails_outcome"),
    )
    for name, what in INDEXES.items():
        op.execute(f"CREATE {'UNIQUE ' if name in UNIQUE else ''}INDEX {name} ON incoming_mails {what}")


def downgrade() -> None:
    op.drop_table("incoming_mails")
    op.drop_table("mailboxes")
