"""What happens to personal data, as facts about the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.events import AccessEvent


@dataclass(frozen=True, kw_only=True)
class PersonalExportAsked(AccessEvent):
    """A copy of everything that is held about a person was asked for."""

    type: ClassVar[str] = "personal_export.asked"
    export_id: int


@dataclass(frozen=True, kw_only=True)
class PersonalExportMade(AccessEvent):
    """A copy of everything that is held about a person was made."""

    type: ClassVar[str] = "personal_export.made"
    export_id: int
    size: int


@dataclass(frozen=True, kw_only=True)
class PersonalExportTaken(AccessEvent):
    """A copy of everything that is held about a person was fetched by whoever asked for it."""

    type: ClassVar[str] = "personal_export.taken"
    export_id: int


@dataclass(frozen=True, kw_only=True)
class LegalHoldSet(AccessEvent):
    """Nothing about a person may be erased for now, for a reason; without one it may again."""

    type: ClassVar[str] = "erasure.hold"
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ErasureAsked(AccessEvent):
    """An administrator asked that what is personal about a person who left be erased."""

    type: ClassVar[str] = "erasure.asked"
    erasure_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ErasureDropped(AccessEvent):
    """A request to erase what is personal about a person was dropped."""

    type: ClassVar[str] = "erasure.dropped"
    erasure_id: int


@dataclass(frozen=True, kw_only=True)
class PersonErased(AccessEvent):
    """A second administrator agreed: what was personal about a person is gone, a pseudonym stands in its place."""

    type: ClassVar[str] = "erasure.done"
    erasure_id: int
    asked_by_id: int
    erased: dict[str, int]
