"""Where the trail is sent on to, and how far each has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, LargeBinary, SmallInteger, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class AuditStream(Base):
    """A destination of the trail.

    `position` says up to where in the chain it has everything it wants; `sent_position` is the last row it was sent, which
    is another one when `families` leaves kinds out. `settings` is what its kind needs, `sealed` its secrets. Who holds
    `lease` until `leased_until` sends; while `open_until` lies ahead nobody does, longer after each failure in a row.
    """

    __tablename__ = "audit_streams"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_with: Mapped[str | None] = mapped_column(String(16))
    families: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    is_on: Mapped[bool] = mapped_column(Boolean, server_default="false")
    position: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sent_position: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sent_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    failing_since: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    failed_at: Mapped[datetime | None]
    worked_at: Mapped[datetime | None]
    alarmed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('SYSLOG', 'HTTPS')", name="kind"),
        Index("uq_audit_streams_name", "name", unique=True),
    )

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return f"audit_stream:{self.id}".encode()
