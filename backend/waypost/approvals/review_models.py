"""Reviews of broken glass: somebody approved an emergency without being asked, and others look at it afterwards."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ReviewState(StrEnum):
    """How a review stands. Both verdicts are final; neither undoes what was done."""

    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    OBJECTED = "OBJECTED"


class ApprovalReview(Base):
    """The mandatory look back at one approval that ended by broken glass.

    `timer_at` is when its reviewers are told again; nothing is due while it is NULL. `rungs` counts how often that was.
    """

    __tablename__ = "approval_reviews"

    id: Mapped[BigId]
    workflow_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_workflows.id", ondelete="CASCADE"))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    requester_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    broken_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    comments: Mapped[str] = mapped_column(Text, server_default="", default="")
    timer_at: Mapped[datetime | None]
    rungs: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)

    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in ReviewState)})", name="state"),
        CheckConstraint("(state = 'OPEN') = (decided_by_id IS NULL)", name="decided"),
        Index("uq_approval_reviews_workflow", "workflow_id", unique=True),
        Index("ix_approval_reviews_subject", "subject_type", "subject_id"),
        Index("ix_approval_reviews_broken_by", "broken_by_id", "id"),
        Index("ix_approval_reviews_state", "state", "id"),
        Index("ix_approval_reviews_timer", "timer_at", "id", postgresql_where=text("timer_at IS NOT NULL")),
    )


class ApprovalReviewer(Base):
    """Somebody who may give the verdict: whoever would have decided, and the administrators."""

    __tablename__ = "approval_reviewers"

    review_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("approval_reviews.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), primary_key=True)

    __table_args__ = (Index("ix_approval_reviewers_user", "user_id", "review_id"),)
