"""What is done with the destinations of the trail stands in the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class StreamEvent(Event):
    """About one destination of the trail. Of secrets only whether there is one, and that it is another."""

    object_type: ClassVar[str] = "audit_stream"
    stream_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.stream_id


@dataclass(frozen=True, kw_only=True)
class StreamAdded(StreamEvent):
    """Somebody had the trail sent to one more system, from position `start` of the chain on."""

    type: ClassVar[str] = "audit_stream.added"
    after: dict[str, Any]
    start: int


@dataclass(frozen=True, kw_only=True)
class StreamChanged(StreamEvent):
    """Somebody changed where the trail is sent, or what of it, or switched it."""

    type: ClassVar[str] = "audit_stream.changed"
    before: dict[str, Any]
    after: dict[str, Any]
    settings_version: int


@dataclass(frozen=True, kw_only=True)
class StreamRemoved(StreamEvent):
    """Somebody ended sending the trail there; the other system had it up to `position`."""

    type: ClassVar[str] = "audit_stream.removed"
    before: dict[str, Any]
    position: int


@dataclass(frozen=True, kw_only=True)
class StreamTried(StreamEvent):
    """Somebody sent a test entry; `stream_id` 0 before it was added."""

    type: ClassVar[str] = "audit_stream.tried"
    where: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class StreamRecovered(StreamEvent):
    """A destination that administrators were told about takes the trail again."""

    type: ClassVar[str] = "audit_stream.recovered"
    failing_since: str
