"""Exports of personal data, and erasures that two administrators agree on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class PersonalExport(Base):
    """A file with everything that is held about somebody, asked for by them or by an administrator.

    WAITING until the worker made it (`next_at` is when it is tried, again), READY until `expires_at`, then GONE. Only who
    asked for it may fetch it. The file lies sealed in the store of files, under a key of its own.
    """

    __tablename__ = "personal_exports"
    sealed_columns: ClassVar[tuple[str, str]] = ("wrapped_key", "key_id")

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    asked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    last_error: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    object_name: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(16))
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger, server_default="0")

    __table_args__ = (
        CheckConstraint("state IN ('WAITING', 'READY', 'FAILED', 'GONE')", name="state"),
        Index("ix_personal_exports_user", "user_id", text("id DESC")),
        Index("ix_personal_exports_asked_by", "asked_by_id"),
        Index("ix_personal_exports_object", "object_name"),
        Index("ix_personal_exports_waiting", "next_at", postgresql_where=text("state = 'WAITING'")),
        Index("ix_personal_exports_ready", "expires_at", postgresql_where=text("state = 'READY'")),
    )

    @property
    def about(self) -> bytes:
        """What its key is wrapped for."""
        return (self.object_name or "").encode()


class Erasure(Base):
    """That what is personal about somebody who left be erased: asked by one, done by another.

    Settled when it was done (`done_by_id`), dropped or lapsed; `erased` counts what it changed, room by room.
    """

    __tablename__ = "erasures"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    asked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    erased: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("uq_erasures_open", "user_id", unique=True, postgresql_where=text("settled_at IS NULL")),
        Index("ix_erasures_user", "user_id"),
        Index("ix_erasures_asked_by", "asked_by_id"),
        Index("ix_erasures_done_by", "done_by_id"),
    )
