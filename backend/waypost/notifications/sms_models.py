"""What is kept of text messages: codes to answer with, and which messages have come in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId
from waypost.kernel.sealed_numbers import SealedNumber


class ReplyCode(Base):
    """A code with which one phone answers one step, as its person was told of it in a version of the request (`seen`).

    `code_hash` is a keyed hash of phone and code. `used_at`: it decided. `voided_at`: somebody tried too many others.
    """

    __tablename__ = "sms_reply_codes"

    id: Mapped[BigId]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    phone: Mapped[str] = mapped_column(SealedNumber("sms_reply_codes.phone", 100))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    step_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_steps.id", ondelete="CASCADE"))
    seen: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_sms_reply_codes_code", "code_hash", unique=True),
        Index(
            "ix_sms_reply_codes_phone",
            "phone",
            postgresql_where=text("used_at IS NULL AND voided_at IS NULL"),
        ),
        Index("ix_sms_reply_codes_user", "user_id"),
        Index("ix_sms_reply_codes_step", "step_id"),
        Index("ix_sms_reply_codes_expires", "expires_at"),
    )


class IncomingSms(Base):
    """A message that came in, by the id its provider gave it: taken once, however often it is brought.

    What it said is not kept: it may hold a code.
    """

    __tablename__ = "sms_incoming"

    id: Mapped[BigId]
    provider: Mapped[str] = mapped_column(String(16))
    provider_id: Mapped[str] = mapped_column(String(128))
    phone: Mapped[str] = mapped_column(SealedNumber("sms_incoming.phone", 100))
    outcome: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_sms_incoming_message", "provider", "provider_id", unique=True),
        Index("ix_sms_incoming_phone", "phone", text("id DESC")),
        Index("ix_sms_incoming_received", "received_at"),
    )
