"""Links in mails that open one decision."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base


class DecisionLink(Base):
    """A link with which one person decides one step, as they were shown it; kept as a SHA-256 only, single use.

    `seen` is the subject's version when it was written. `verb` is what was decided with it.
    """

    __tablename__ = "approval_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    step_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_steps.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    seen: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    verb: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (
        Index("ix_approval_links_step", "step_id"),
        Index("ix_approval_links_user", "user_id"),
        Index("ix_approval_links_expires", "expires_at"),
    )
