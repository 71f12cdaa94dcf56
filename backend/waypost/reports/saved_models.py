"""Reports people made, and who else opens them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class SavedReport(Base):
    """A report under a name. `definition` is what it asks for (`shapes.py`); it shows each reader their own tickets only.

    It is its owner's, and opened by these people, the members of these teams and who has one of these roles.
    """

    __tablename__ = "saved_reports"

    id: Mapped[BigId]
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    person_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}", default=list)
    team_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}", default=list)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_saved_reports_owner", "owner_id", "name", "id"),
        Index("ix_saved_reports_people", "person_ids", postgresql_using="gin"),
        Index("ix_saved_reports_teams", "team_ids", postgresql_using="gin"),
        Index("ix_saved_reports_roles", "roles", postgresql_using="gin"),
    )
