"""API tokens: what a program shows instead of a person signing in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ApiToken(Base):
    """A token with which a program acts for `user_id`, with at most these permissions; kept as a SHA-256 only.

    `beginning` is so much of it as tells it from others. With `is_read_only` it changes nothing, whatever it may. `is_vouched`: it
    was made in a sign-in whose provider is trusted to have asked for a second factor.
    """

    __tablename__ = "api_tokens"

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    made_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    beginning: Mapped[str] = mapped_column(String(16))
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_read_only: Mapped[bool] = mapped_column(Boolean)
    is_vouched: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str | None] = mapped_column(String(45))
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_api_tokens_hash", "token_hash", unique=True),
        Index("ix_api_tokens_user", "user_id", "id"),
        Index("ix_api_tokens_made_by", "made_by_id"),
        Index("ix_api_tokens_expires", "expires_at"),
    )
