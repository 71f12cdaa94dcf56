"""What can be taken away as files, at once or by a schedule: a report somebody saved, or a dashboard as its reader sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.reports.dashboards import Kind
from waypost.reports.export_models import ReportExport
from waypost.reports.saved_models import SavedReport
from waypost.reports.schedule_models import ExportSchedule

NAMES = {
    Kind.EMPLOYEE: "My requests",
    Kind.AGENT: "My teams",
    Kind.MANAGER: "My people",
    Kind.EXECUTIVE: "The whole company",
}


@dataclass(frozen=True, slots=True)
class BoardSource:
    """A dashboard and how many days back it tells of. It is nobody's: each reader has one of their own."""

    kind: Kind
    days: int
    id: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"{NAMES[self.kind]}, last {self.days} days"


Source = SavedReport | BoardSource


async def source_of(session: AsyncSession, row: ReportExport | ExportSchedule) -> Source | None:
    """What this is an export of, or exports; None for a report that was deleted since."""
    if row.board is not None and row.days is not None:
        return BoardSource(Kind(row.board), row.days)
    return await session.get(SavedReport, row.report_id) if row.report_id else None


def why_not(source: Source) -> str:
    """What is said of somebody who may not be sent this."""
    if isinstance(source, BoardSource):
        return "has no such dashboard"
    return "may not read this report: it is not shared with them"
