"""The policy, and the signed records of what was removed by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, SmallInteger, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base


class AuditRetention(Base):
    """For how many years each group of kinds is kept; one that is not named, for ever. There is one row."""

    __tablename__ = "audit_retention"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    years: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    updated_at: Mapped[datetime]


class AuditRemoval(Base):
    """A removal, as it was signed. Rows are only ever added."""

    __tablename__ = "audit_removals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]
