"""What conversation keeps beside the comments: earlier texts, drafts, canned replies and how often each is used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class CommentVersion(Base):
    """An earlier text of a comment, as it stood from `written_at` on."""

    __tablename__ = "comment_versions"

    comment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("ticket_comments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]


class CommentDraft(Base):
    """What somebody is writing, for one ticket and one audience. Nobody else ever reads it."""

    __tablename__ = "comment_drafts"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    visibility: Mapped[str] = mapped_column(String(8), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("visibility IN ('PUBLIC', 'INTERNAL')", name="visibility"),
        Index("ix_comment_drafts_ticket", "ticket_id"),
        Index("ix_comment_drafts_updated", "updated_at"),
    )


class CannedReply(Base):
    """Words for what comes up again and again: one person's own, or a team's."""

    __tablename__ = "canned_replies"

    id: Mapped[BigId]
    owner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("(owner_id IS NULL) <> (team_id IS NULL)", name="one_place"),
        Index("ix_canned_replies_owner", "owner_id", text("lower(title)"), "id"),
        Index("ix_canned_replies_team", "team_id", text("lower(title)"), "id"),
    )


class CannedUse(Base):
    """How often somebody took a canned reply: their own order in the list."""

    __tablename__ = "canned_uses"

    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    reply_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("canned_replies.id", ondelete="CASCADE"), primary_key=True
    )
    uses: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime]

    __table_args__ = (Index("ix_canned_uses_reply", "reply_id"),)
