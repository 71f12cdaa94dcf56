"""What happens to canned replies. Their words stay with them: a person's own are nobody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CannedReplyEvent(Event):
    object_type: ClassVar[str] = "canned_reply"
    reply_id: int
    team_id: int | None

    @property
    def object_id(self) -> int:
        return self.reply_id


@dataclass(frozen=True, kw_only=True)
class CannedReplyCreated(CannedReplyEvent):
    """Somebody wrote a canned reply, for themself or for a team."""

    type: ClassVar[str] = "canned_reply.created"


@dataclass(frozen=True, kw_only=True)
class CannedReplyUpdated(CannedReplyEvent):
    """A canned reply was put in other words."""

    type: ClassVar[str] = "canned_reply.updated"
    reply_version: int


@dataclass(frozen=True, kw_only=True)
class CannedReplyRemoved(CannedReplyEvent):
    """A canned reply was taken away."""

    type: ClassVar[str] = "canned_reply.removed"
