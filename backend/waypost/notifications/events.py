"""What the notifications room does, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class NotificationCreated(Event):
    """A person was told something in the app."""

    type: ClassVar[str] = "notification.created"
    object_type: ClassVar[str] = "user"
    user_id: int
    notification_id: int
    kind: str
    ticket_id: int | None

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class ChannelFailed(Event):
    """Nothing goes out by a channel any more until somebody looks: wrong settings, or a system that stays away."""

    type: ClassVar[str] = "channel.failed"
    object_type: ClassVar[str] = "notification_channel"
    channel: str
    why: str

    @property
    def object_id(self) -> int:
        return 0
