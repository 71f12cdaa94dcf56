"""What is kept about how long sign-ins last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base


class SessionRules(Base):
    """How long sign-ins last here and how many of one person there may be at once (one row).

    Where a time is null the installation's own holds (`SESSION_IDLE_HOURS`, `SESSION_ABSOLUTE_DAYS`). Cookies have had
    their present names since `cookies_since`.
    """

    __tablename__ = "session_rules"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1", autoincrement=False)
    idle_minutes: Mapped[int | None] = mapped_column(Integer)
    absolute_minutes: Mapped[int | None] = mapped_column(Integer)
    most_at_once: Mapped[int] = mapped_column(Integer, server_default="100")
    cookies_since: Mapped[datetime] = mapped_column(server_default=func.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
