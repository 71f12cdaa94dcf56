"""The seals on the log, the signed checkpoints, and what checks found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class AuditSeal(Base):
    """The seal of one event. Rows are only ever added."""

    __tablename__ = "audit_seals"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    txid: Mapped[int] = mapped_column(BigInteger)
    row_hash: Mapped[bytes] = mapped_column(LargeBinary)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    leaves: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    removed_in: Mapped[int | None] = mapped_column(BigInteger)  # the removal by which its event went (`retention`)

    __table_args__ = (
        Index("ix_audit_seals_removed_in", "removed_in", postgresql_where=text("removed_in IS NOT NULL")),
    )


class AuditCheckpoint(Base):
    """A signed checkpoint, as it was signed. Rows are only ever added."""

    __tablename__ = "audit_checkpoints"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]

    __table_args__ = (Index("ix_audit_checkpoints_position", "position", "number"),)


class AuditCheck(Base):
    """One run over the whole chain: how far it is, and what it found."""

    __tablename__ = "audit_checks"

    id: Mapped[BigId]
    asked_by_id: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (Index("ix_audit_checks_open", "asked_at", postgresql_where=text("finished_at IS NULL")),)


class EvidencePack(Base):
    """The evidence of one request, as it was asked for and put together. `upto` is the last event that belongs to it."""

    __tablename__ = "evidence_packs"

    id: Mapped[BigId]
    ticket_id: Mapped[int] = mapped_column(BigInteger)
    asked_by_id: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime]
    upto: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    told: Mapped[dict[str, Any]] = mapped_column(JSONB)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_evidence_packs_waiting", "id", postgresql_where=text("status = 'WAITING'")),
        Index("ix_evidence_packs_asked_at", "asked_at"),
    )
