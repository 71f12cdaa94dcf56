"""What happens when glass is broken, and in the review that follows. All of it stands in the subject's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waypost.approvals.events import ApprovalEvent


@dataclass(frozen=True, kw_only=True)
class ReviewEvent(ApprovalEvent):
    """About the review of what `broken_by_id` approved without being asked."""

    review_id: int
    broken_by_id: int


@dataclass(frozen=True, kw_only=True)
class GlassBroken(ReviewEvent):
    """Somebody who was not asked approved an emergency (`comments` says why); `reviewer_ids` look at it by `due_at`."""

    type: ClassVar[str] = "approval.glass_broken"
    comments: str
    reviewer_ids: tuple[int, ...]
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReviewReminded(ReviewEvent):
    """A review was due and nobody had looked; `reviewer_ids` were told again, `comments` is why glass was broken."""

    type: ClassVar[str] = "approval.review_reminded"
    comments: str
    reviewer_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewClimbed(ReviewReminded):
    """A review is overdue: the administrators (`reviewer_ids`) were told that nobody has looked."""

    type: ClassVar[str] = "approval.review_climbed"


@dataclass(frozen=True, kw_only=True)
class ReviewConfirmed(ReviewEvent):
    """A reviewer found it right that glass was broken."""

    type: ClassVar[str] = "approval.review_confirmed"
    comments: str


@dataclass(frozen=True, kw_only=True)
class ReviewObjected(ReviewEvent):
    """A reviewer found it wrong; `told_ids` are the requester, whoever broke the glass and the administrators."""

    type: ClassVar[str] = "approval.review_objected"
    comments: str
    told_ids: tuple[int, ...]
