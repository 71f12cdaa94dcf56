"""What happens to saved views. A view's name stands in the view, not in the log: personal ones are nobody else's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ViewEvent(Event):
    object_type: ClassVar[str] = "saved_view"
    view_id: int
    scope: str

    @property
    def object_id(self) -> int:
        return self.view_id


@dataclass(frozen=True, kw_only=True)
class SavedViewCreated(ViewEvent):
    """A view was saved."""

    type: ClassVar[str] = "saved_view.created"
    team_id: int | None
    role: str | None


@dataclass(frozen=True, kw_only=True)
class SavedViewUpdated(ViewEvent):
    """A view was changed; `changed` are the names of what changed."""

    type: ClassVar[str] = "saved_view.updated"
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class SavedViewDeleted(ViewEvent):
    """A view was deleted."""

    type: ClassVar[str] = "saved_view.deleted"
