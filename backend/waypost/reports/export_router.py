"""`/reports/custom/{id}/exports`, `/reports/dashboards/{kind}/exports`, `/reports/jobs`, `/reports/export-files`: reports and
dashboards taken away as files.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Invalid
from waypost.kernel.filenames import disposition
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.reports import export_making, exporting
from waypost.reports.dashboards import Kind
from waypost.reports.errors import DashboardNotFound, ReportNotFound
from waypost.reports.export_errors import ExportFileNotFound, ExportIsOver, ExportNotFound, TooManyWaiting
from waypost.reports.export_schemas import BoardExportAsked, ExportAsked, ExportDetail, ExportPage
from waypost.reports.saved_router import sees_report

router = APIRouter(route_class=StrictRoute, prefix="/reports", tags=["Reports"])
Reader = Annotated[Actor, permit(Permission.REPORTS_READ)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {kind: {"example": "…"} for kind in exporting.TYPES.values()}}
}


@router.post(
    "/custom/{report_id}/exports",
    status_code=202,
    response_model=ExportDetail,
    responses=problems(ReportNotFound, TooManyWaiting, Invalid),
)
@costly
@guarded(sees_report)
async def report_export(report_id: PathId, actor: Reader, body: ExportAsked, once: OnceOnly) -> Response:
    """Have a saved report made into files, of the requests the reader may see. Its address says when they are ready."""
    async with database().transaction() as session:

        async def work() -> Response:
            export = await exporting.ask(session, actor, report_id, body.formats)
            return json_response(await exporting.export_json(session, actor, export), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(export_making.TASK)
    return answer


@router.post(
    "/dashboards/{kind}/exports",
    status_code=202,
    response_model=ExportDetail,
    responses=problems(DashboardNotFound, TooManyWaiting, Invalid),
)
@costly
async def dashboard_export(kind: Kind, actor: Reader, body: BoardExportAsked, once: OnceOnly) -> Response:
    """Have a dashboard made into files, as its reader sees it. Its address says when they are ready."""
    async with database().transaction() as session:

        async def work() -> Response:
            export = await exporting.ask_board(session, actor, kind, body.days, body.formats)
            return json_response(await exporting.export_json(session, actor, export), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(export_making.TASK)
    return answer


@router.get("/jobs", response_model=ExportPage)
async def export_page(session: ReadSession, actor: Reader, cursor: Cursor = None, limit: Limit = 25) -> Response:
    """The exports one asked for or got something of, newest first. They are listed for 90 days."""
    return json_response(await exporting.export_page(session, actor, cursor=cursor, limit=limit))


@router.get("/jobs/{export_id}", response_model=ExportDetail, responses=problems(ExportNotFound))
async def export_read(session: ReadSession, actor: Reader, export_id: PathId) -> Response:
    """How far an export is, and who got what of it."""
    export = await exporting.find_export(session, actor, export_id)
    return json_response(await exporting.export_json(session, actor, export))


@router.post("/jobs/{export_id}/cancel", response_model=ExportDetail, responses=problems(ExportNotFound, ExportIsOver))
async def export_cancel(session: WriteSession, actor: Reader, export_id: PathId) -> Response:
    """Don't make what is left of an export. What was made stays."""
    export = await exporting.cancel(session, actor, export_id)
    return json_response(await exporting.export_json(session, actor, export))


@router.get("/export-files/{file_id}", response_class=Response, responses=_FILE | problems(ExportFileNotFound))
async def export_file(session: WriteSession, actor: Reader, file_id: PathId) -> Response:
    """A file that was made for the reader, while it is kept. That it was fetched stands in the audit trail."""
    file = await exporting.fetch(session, actor, file_id)
    headers = {
        "Content-Type": exporting.TYPES[file.format],
        "Content-Length": str(file.size),
        "Content-Disposition": disposition(file.name, inline=False),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(exporting.contents(file), 200, headers)
