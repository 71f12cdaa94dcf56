"""What happens to reports. A report's name stands in the report, not in the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ReportEvent(Event):
    object_type: ClassVar[str] = "report"
    report_id: int

    @property
    def object_id(self) -> int:
        return self.report_id


@dataclass(frozen=True, kw_only=True)
class ReportSaved(ReportEvent):
    """A report was saved, and shared with these people, teams and roles."""

    type: ClassVar[str] = "report.saved"
    person_ids: list[int] = field(default_factory=list)
    team_ids: list[int] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ReportChanged(ReportEvent):
    """A report was changed; `changed` are the names of what changed."""

    type: ClassVar[str] = "report.changed"
    changed: list[str]
    person_ids: list[int] = field(default_factory=list)
    team_ids: list[int] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ReportDeleted(ReportEvent):
    """A report was deleted."""

    type: ClassVar[str] = "report.deleted"
