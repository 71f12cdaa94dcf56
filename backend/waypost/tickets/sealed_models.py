"""Answers to sensitive fields, each sealed for itself, and how far sealing what was answered before has come."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base


class SealedAnswer(Base):
    """What was answered to a sensitive field of a ticket, which holds its mark (`catalog.sensitive`). Never changed: another
    answer is another row, and the one before is removed.
    """

    __tablename__ = "sealed_answers"
    sealed_columns: ClassVar[tuple[str, str]] = ("value", "key_id")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    field_key: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(16))
    value: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_sealed_answers_ticket", "ticket_id"), Index("ix_sealed_answers_key", "key_id", "id"))

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`): one answer, of one field, of one ticket."""
        return f"sealed_answers.value:{self.id}:{self.ticket_id}:{self.field_key}".encode()


class AnswerSealing(Base):
    """Sealing (or opening) what tickets of a type answered before its form said so, ticket by ticket up to `last_ticket_id`.

    `since` is the transaction that changed the form. Older ones may still write as the form was: a pass that began while any
    of them ran is followed by another.
    """

    __tablename__ = "answer_sealings"

    ticket_type_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ticket_types.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    since: Mapped[int] = mapped_column(BigInteger)
    is_last_pass: Mapped[bool] = mapped_column(server_default="false", default=False)
    last_ticket_id: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    changed: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_answer_sealings_due", "ticket_type_id", postgresql_where=text("finished_at IS NULL")),)
