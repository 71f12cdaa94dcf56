"""What happens to reports that are taken away as files, as facts: who took which numbers, and how many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ExportEvent(Event):
    object_type: ClassVar[str] = "report_export"
    export_id: int

    @property
    def object_id(self) -> int:
        return self.export_id


@dataclass(frozen=True, kw_only=True)
class ReportExportAsked(ExportEvent):
    """A report is to be made into files, for so many people: at once, by a schedule, or by hand. Or a dashboard, `board`."""

    type: ClassVar[str] = "report_export.asked"
    report_id: int | None
    board: str | None = None
    kind: str
    formats: list[str]
    people: int


@dataclass(frozen=True, kw_only=True)
class ReportExportMade(ExportEvent):
    """Somebody's files were made, of the requests they may see."""

    type: ClassVar[str] = "report_export.made"
    report_id: int | None
    user_id: int
    formats: list[str]
    rows: int
    size: int


@dataclass(frozen=True, kw_only=True)
class ReportExportTaken(ExportEvent):
    """Somebody fetched a file that was made for them."""

    type: ClassVar[str] = "report_export.taken"
    user_id: int
    format: str
    size: int


@dataclass(frozen=True, kw_only=True)
class ReportExportCancelled(ExportEvent):
    """What was left of an export is not made."""

    type: ClassVar[str] = "report_export.cancelled"
    left: int


@dataclass(frozen=True, kw_only=True)
class ScheduleEvent(Event):
    object_type: ClassVar[str] = "export_schedule"
    schedule_id: int

    @property
    def object_id(self) -> int:
        return self.schedule_id


@dataclass(frozen=True, kw_only=True)
class ExportScheduleMade(ScheduleEvent):
    """A report, or a dashboard (`board`), is exported by itself from now on, for these people."""

    type: ClassVar[str] = "export_schedule.made"
    report_id: int | None
    board: str | None = None
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExportScheduleChanged(ScheduleEvent):
    """When, how or for whom a report is exported by itself was changed."""

    type: ClassVar[str] = "export_schedule.changed"
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ExportSchedulePaused(ScheduleEvent):
    """A schedule waits: its owner left, or the report is not shared with them any more."""

    type: ClassVar[str] = "export_schedule.paused"
    why: str


@dataclass(frozen=True, kw_only=True)
class ExportScheduleDeleted(ScheduleEvent):
    """A report is not exported by itself any more."""

    type: ClassVar[str] = "export_schedule.deleted"
    report_id: int | None
    board: str | None = None
