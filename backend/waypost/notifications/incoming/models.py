"""Mailboxes, and every mail that came in with what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

OUTCOMES = (
    "PENDING",
    "TICKET",
    "COMMENT",
    "BOUNCE",
    "AUTO_REPLY",
    "IGNORED",
    "REFUSED",
    "QUARANTINED",
    "DISCARDED",
)


class Mailbox(Base):
    """A place mail comes in by, how it is read, and what new requests from it become.

    `settings` holds what only some kinds need (Graph: `tenant`, `client_id`); `sealed` is the password or the app's
    secret. `uidvalidity` and `last_uid` say how far it was read. While `open_until` lies ahead it is left alone, longer
    after each failure in a row.
    """

    __tablename__ = "mailboxes"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(254))
    kind: Mapped[str] = mapped_column(String(16))
    host: Mapped[str] = mapped_column(String(253), server_default="")
    port: Mapped[int] = mapped_column(Integer, server_default="993")
    security: Mapped[str] = mapped_column(String(16), server_default="tls")
    username: Mapped[str] = mapped_column(String(254), server_default="")
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_with: Mapped[str | None] = mapped_column(String(16))
    folder: Mapped[str] = mapped_column(String(200), server_default="INBOX")
    ticket_type_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_types.id"))
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id"))
    unknown_senders: Mapped[str] = mapped_column(String(16), server_default="QUARANTINE")
    accept_as_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    agents_reply: Mapped[str] = mapped_column(String(16), server_default="PUBLIC")
    authserv_id: Mapped[str | None] = mapped_column(String(253))
    is_on: Mapped[bool] = mapped_column(Boolean, server_default="false")
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, server_default="0")
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    open_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    failed_at: Mapped[datetime | None]
    worked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('imap', 'graph')", name="kind"),
        CheckConstraint("security IN ('tls', 'starttls')", name="security"),
        CheckConstraint("unknown_senders IN ('QUARANTINE', 'REFUSE', 'ACCEPT')", name="unknown_senders"),
        CheckConstraint("unknown_senders <> 'ACCEPT' OR accept_as_user_id IS NOT NULL", name="accept_as"),
        CheckConstraint("agents_reply IN ('PUBLIC', 'INTERNAL')", name="agents_reply"),
        Index("uq_mailboxes_address", text("lower(address)"), unique=True),
        Index("ix_mailboxes_ticket_type_id", "ticket_type_id"),
        Index("ix_mailboxes_team_id", "team_id"),
        Index("ix_mailboxes_accept_as_user_id", "accept_as_user_id"),
    )

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"mailbox:{self.id}".encode()


class IncomingMail(Base):
    """A mail that came in, from the moment it was stored; kept as the log.

    The mail itself lies sealed in the store of files, under `raw_name`; its key is wrapped by the installation's. Without
    `is_whole` only its headers were fetched, because it is larger than what is taken. `uid` is what its folder called it;
    (`mailbox_id`, `uidvalidity`, `uid`) is why none is taken twice. While PENDING it is (again) tried at `next_at`.
    `user_id` is the person it was found to come from.
    """

    __tablename__ = "incoming_mails"
    sealed_columns: ClassVar[tuple[str, str]] = ("raw_key", "raw_key_id")

    id: Mapped[BigId]
    mailbox_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("mailboxes.id", ondelete="SET NULL"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[str | None] = mapped_column(String(998))
    content_hash: Mapped[str] = mapped_column(String(64))
    from_address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    size: Mapped[int] = mapped_column(BigInteger)
    is_whole: Mapped[bool] = mapped_column(Boolean, server_default="true")
    raw_name: Mapped[str | None] = mapped_column(String(64))
    raw_size: Mapped[int] = mapped_column(BigInteger, server_default="0")
    raw_key_id: Mapped[str | None] = mapped_column(String(16))
    raw_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    outcome: Mapped[str] = mapped_column(String(16), server_default="PENDING")
    reason: Mapped[str | None] = mapped_column(Text)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="SET NULL"))
    comment_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ticket_comments.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"outcome IN ({', '.join(repr(o) for o in OUTCOMES)})", name="outcome"),
        Index("uq_incoming_mails_place", "mailbox_id", "uidvalidity", "uid", unique=True),
        Index("ix_incoming_mails_message_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("ix_incoming_mails_content_hash", "content_hash"),
        Index("ix_incoming_mails_from", "from_address", "created_at"),
        Index("ix_incoming_mails_due", "next_at", "id", postgresql_where=text("outcome = 'PENDING'")),
        Index("ix_incoming_mails_quarantined", text("id DESC"), postgresql_where=text("outcome = 'QUARANTINED'")),
        Index("ix_incoming_mails_outcome", "outcome", text("id DESC")),
        Index("ix_incoming_mails_mailbox", "mailbox_id", text("id DESC")),
        Index("ix_incoming_mails_raw", "raw_name", unique=True, postgresql_where=text("raw_name IS NOT NULL")),
        Index("ix_incoming_mails_ticket", "ticket_id", postgresql_where=text("ticket_id IS NOT NULL")),
        Index("ix_incoming_mails_comment", "comment_id", postgresql_where=text("comment_id IS NOT NULL")),
        Index("ix_incoming_mails_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index(
            "ix_incoming_mails_text",
            text("waypost_fold(subject || ' ' || from_address) gin_trgm_ops"),
            postgresql_using="gin",
        ),
    )

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return (self.raw_name or "").encode()
