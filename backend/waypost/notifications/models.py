"""What people were told, what is on its way to them, and how they want to be told."""

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
from waypost.kernel.sealed_numbers import SealedNumber


class Notification(Base):
    """One notice for one person about one event."""

    __tablename__ = "notifications"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    link: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_notifications_event", "event_id", "user_id", unique=True),
        Index("ix_notifications_user", "user_id", text("id DESC")),
        Index("ix_notifications_unread", "user_id", text("id DESC"), postgresql_where=text("read_at IS NULL")),
        Index("ix_notifications_ticket", "ticket_id"),
    )


class Delivery(Base):
    """One message to one person, or to a team's channel, about one event: written before it is sent, kept as the log.

    `next_at` is when it is tried (again); a sender puts it off as it takes it, in case it does not live to say how it
    went. `message_id` is the same at every try, so a mail sent twice shows once. Rows of a person and channel with the
    same `bundle` go out as one message. `provider_ref` is what the other system calls the message, to change it later;
    `step_id` is the approval step it asks to decide. `segments` are the parts a text message went out in; `receipt` is what
    its network said became of it, DELIVERED or UNDELIVERED.
    """

    __tablename__ = "notification_deliveries"

    id: Mapped[BigId]
    channel: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(64))
    recipient: Mapped[str] = mapped_column(SealedNumber("notification_deliveries.recipient", 254))
    subject: Mapped[str] = mapped_column(Text)
    words: Mapped[dict[str, Any]] = mapped_column(JSONB)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    message_id: Mapped[str] = mapped_column(String(254))
    bundle: Mapped[str | None] = mapped_column(String(80))
    is_urgent: Mapped[bool] = mapped_column(Boolean, server_default="false")
    step_id: Mapped[int | None] = mapped_column(BigInteger)
    provider_ref: Mapped[str | None] = mapped_column(String(254))
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    receipt: Mapped[str | None] = mapped_column(String(16))
    receipt_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'SENT', 'FAILED')", name="status"),
        Index(
            "uq_notification_deliveries_told",
            "event_id",
            "channel",
            "user_id",
            "recipient",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "ix_notification_deliveries_waiting",
            "channel",
            text("is_urgent DESC"),
            "next_at",
            "id",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index(
            "ix_notification_deliveries_bundle",
            "user_id",
            "channel",
            "bundle",
            postgresql_where=text("status = 'PENDING' AND bundle IS NOT NULL"),
        ),
        Index("ix_notification_deliveries_step", "step_id", postgresql_where=text("step_id IS NOT NULL")),
        Index("ix_notification_deliveries_failed", text("id DESC"), postgresql_where=text("status = 'FAILED'")),
        Index("ix_notification_deliveries_user", "user_id", text("id DESC")),
        Index("ix_notification_deliveries_channel", "channel", text("id DESC")),
        Index("ix_notification_deliveries_kind", "kind", text("id DESC")),
        Index("ix_notification_deliveries_ticket", text("(words ->> 'ticket_id')"), text("id DESC")),
        Index("ix_notification_deliveries_created", "created_at"),
        # what an earlier release kept in the open, until it is sealed
        Index("ix_notification_deliveries_open", "id", postgresql_where=text("recipient LIKE '+%'")),
        Index(
            "ix_notification_deliveries_text",
            text("waypost_fold(subject || ' ' || recipient) gin_trgm_ops"),
            postgresql_using="gin",
        ),
    )


class ChannelSettings(Base):
    """How an installation reaches people by a channel, and how that went of late.

    `sealed` holds the secrets among its settings, encrypted. While `open_until` lies ahead nothing is tried: the other
    system is away or refuses us (a circuit breaker), and each failure in a row doubles the pause.
    """

    __tablename__ = "notification_channels"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    is_on: Mapped[bool] = mapped_column(Boolean, server_default="false")
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_with: Mapped[str | None] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    open_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    failed_at: Mapped[datetime | None]
    worked_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"channel:{self.key}".encode()


class ContactPoint(Base):
    """Where a person is reached by a channel other than mail: a phone, an account elsewhere, a browser.

    Used once `verified_at` is set, and not while `stopped_at` is (they said STOP, or the address is no more).
    """

    __tablename__ = "contact_points"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(SealedNumber("contact_points.address"))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    label: Mapped[str] = mapped_column(String(100), server_default="")
    verified_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_contact_points_address", "channel", text("md5(address)"), "user_id", unique=True),
        Index("ix_contact_points_user", "user_id", "channel"),
    )


class Preferences(Base):
    """What a person chose: only what differs from what is usual for them."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    digests: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    quiet_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    updated_at: Mapped[datetime]


class Defaults(Base):
    """What administrators chose for the whole company (`role_id` null) or for a role; `mandatory` is the company's."""

    __tablename__ = "notification_defaults"

    id: Mapped[BigId]
    role_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("roles.id", ondelete="CASCADE"))
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    mandatory: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_notification_defaults_role", "role_id", unique=True, postgresql_nulls_not_distinct=True),
    )


class TemplateVersion(Base):
    """The words of a kind of notice, for a channel (or `all`) and a language, at one version; the highest is in force.

    Without a subject it goes back to the built-in words. `failed_at` is when it could last not be filled in.
    """

    __tablename__ = "notification_template_versions"

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    author_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("(subject IS NULL) = (body IS NULL)", name="words"),
        Index("uq_notification_template_versions", "key", "channel", "language", "version", unique=True),
        Index("ix_notification_template_versions_author", "author_id"),
    )
