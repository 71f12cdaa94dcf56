"""What happened to tables of people, and to those who were invited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.events import AccessEvent
from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class PeopleImportStarted(Event):
    """A table of people began to be put into force; what became of each stands in events of their own."""

    type: ClassVar[str] = "people_import.started"
    object_type: ClassVar[str] = "people_import"
    import_id: int
    filename: str
    sha256: str
    new: int
    changed: int
    leaving: int
    invites: bool

    @property
    def object_id(self) -> int:
        return self.import_id


@dataclass(frozen=True, kw_only=True)
class PeopleImportCancelled(Event):
    """A table of people was stopped on its way; what was done stays."""

    type: ClassVar[str] = "people_import.cancelled"
    object_type: ClassVar[str] = "people_import"
    import_id: int
    done: int
    left: int

    @property
    def object_id(self) -> int:
        return self.import_id


@dataclass(frozen=True, kw_only=True)
class PersonInvited(AccessEvent):
    """A new person is to get a link by mail with which they choose their password."""

    type: ClassVar[str] = "auth.invited"
