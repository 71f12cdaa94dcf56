"""Tables people bring, row by row, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId

STATUSES = ("UPLOADED", "CHECKING", "CHECKED", "RUNNING", "FINISHED", "CANCELLED")
ROW_STATUSES = ("PENDING", "READY", "WRONG", "DUPLICATE", "DONE", "FAILED")


class TicketImport(Base):
    """A file somebody brought. It is looked at row by row (CHECKING), then made into tickets (RUNNING)."""

    __tablename__ = "ticket_imports"

    id: Mapped[BigId]
    actor_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    encoding: Mapped[str] = mapped_column(String(16))
    separator: Mapped[str] = mapped_column(String(1))
    headings: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    total: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(9))
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    limited_to: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))  # the permissions of the token that brought it
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(map(repr, STATUSES))})", name="status"),
        Index("ix_ticket_imports_due", "id", postgresql_where=text("status IN ('CHECKING', 'RUNNING')")),
        Index("ix_ticket_imports_actor", "actor_id", "id"),
        Index("ix_ticket_imports_created", "created_at"),
    )


class ImportRow(Base):
    """One row of a file. `errors` holds `{field, column, message}`; `ticket_id` is what it became, or was already."""

    __tablename__ = "ticket_import_rows"

    import_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ticket_imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cells: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    status: Mapped[str] = mapped_column(String(9))
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(map(repr, ROW_STATUSES))})", name="status"),
        Index("ix_ticket_import_rows_status", "import_id", "status", "number"),
    )


class ImportedKey(Base):
    """What a ticket was called where it comes from, so that the same row brought again is known. Kept with the ticket."""

    __tablename__ = "ticket_imported_keys"

    ticket_type_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_types.id"), primary_key=True)
    external_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))

    __table_args__ = (Index("ix_ticket_imported_keys_ticket", "ticket_id"),)
