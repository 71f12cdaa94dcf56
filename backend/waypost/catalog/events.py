"""What happens in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CatalogEvent(Event):
    object_type: ClassVar[str] = "ticket_type"
    ticket_type_id: int
    key: str

    @property
    def object_id(self) -> int:
        return self.ticket_type_id


@dataclass(frozen=True, kw_only=True)
class TicketTypeCreated(CatalogEvent):
    """A ticket type was added."""

    type: ClassVar[str] = "ticket_type.created"
    name: str


@dataclass(frozen=True, kw_only=True)
class TicketTypeUpdated(CatalogEvent):
    """A ticket type was changed: `changes` holds `{field: [old, new]}`."""

    type: ClassVar[str] = "ticket_type.updated"
    changes: dict[str, list[Any]]


@dataclass(frozen=True, kw_only=True)
class CategoryEvent(Event):
    object_type: ClassVar[str] = "category"
    category_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.category_id


@dataclass(frozen=True, kw_only=True)
class CategoryCreated(CategoryEvent):
    """A category was added to the catalogue."""

    type: ClassVar[str] = "category.created"


@dataclass(frozen=True, kw_only=True)
class CategoryUpdated(CategoryEvent):
    """A category was renamed or moved: `changes` holds `{field: [old, new]}`."""

    type: ClassVar[str] = "category.updated"
    changes: dict[str, list[Any]]


@dataclass(frozen=True, kw_only=True)
class CategoryRemoved(CategoryEvent):
    """A category that no type belonged to was removed."""

    type: ClassVar[str] = "category.removed"
