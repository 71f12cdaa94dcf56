"""`/reports/custom/{id}/schedules`, `/reports/dashboards/{kind}/schedules` and `/reports/schedules`: what is exported by itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Invalid, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.reports import export_making, exporting, schedules
from waypost.reports.dashboards import Kind
from waypost.reports.errors import DashboardNotFound, ReportNotFound
from waypost.reports.export_errors import NobodyToSendTo, ScheduleNotFound, StillExporting, TooManySchedules
from waypost.reports.export_models import ReportExport
from waypost.reports.export_schemas import ExportDetail, ExportPage
from waypost.reports.saved_router import sees_report
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.schedule_schemas import (
    BoardScheduleSet,
    SchedulePage,
    ScheduleRead,
    ScheduleRun,
    ScheduleSet,
    ScheduleUpdate,
)

router = APIRouter(route_class=StrictRoute, prefix="/reports", tags=["Reports"])
Reader = Annotated[Actor, permit(Permission.REPORTS_READ)]


async def _sees_schedule(request: Request) -> None:
    """404 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        await schedules.find(session, actor, path_id(request.path_params.get("schedule_id")))


def _answer(schedule: ExportSchedule, body: dict[str, object], status: int = 200) -> Response:
    return json_response(body, status, {"ETag": f'"{schedule.id}-{schedule.version}"'})


@router.post(
    "/custom/{report_id}/schedules",
    status_code=201,
    response_model=ScheduleRead,
    responses=problems(ReportNotFound, TooManySchedules, Invalid),
)
@guarded(sees_report)
async def schedule_create(
    session: WriteSession, actor: Reader, report_id: PathId, body: ScheduleSet, once: OnceOnly
) -> Response:
    """Have a report exported by itself and mailed; each recipient gets the rows they may see then."""

    async def work() -> Response:
        schedule = await schedules.make(session, actor, report_id, **body.model_dump())
        return _answer(schedule, await schedules.schedule_json(session, schedule), 201)

    return await once.answer(session, actor.user_id, work)


@router.post(
    "/dashboards/{kind}/schedules",
    status_code=201,
    response_model=ScheduleRead,
    responses=problems(DashboardNotFound, TooManySchedules, Invalid),
)
async def dashboard_schedule(
    session: WriteSession, actor: Reader, kind: Kind, body: BoardScheduleSet, once: OnceOnly
) -> Response:
    """Have a dashboard exported by itself and mailed; each recipient gets their own, as it is then."""

    async def work() -> Response:
        schedule = await schedules.make_of_board(session, actor, kind, **body.model_dump())
        return _answer(schedule, await schedules.schedule_json(session, schedule), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/schedules", response_model=SchedulePage)
async def schedule_page(
    session: ReadSession,
    actor: Reader,
    of_all: Annotated[bool, Query(alias="all", description="Of everybody, for administrators of views.")] = False,
    report_id: Annotated[Id | None, Query(description="Of this report only.", examples=[7])] = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> Response:
    """One's own schedules, newest first."""
    found = await schedules.page(session, actor, of_all=of_all, report_id=report_id, cursor=cursor, limit=limit)
    return json_response(found)


@router.get("/schedules/{schedule_id}", response_model=ScheduleRead, responses=problems(ScheduleNotFound))
async def schedule_read(session: ReadSession, actor: Reader, schedule_id: PathId) -> Response:
    """A schedule, and how its last export went."""
    schedule = await schedules.find(session, actor, schedule_id)
    return _answer(schedule, await schedules.schedule_json(session, schedule))


@router.put(
    "/schedules/{schedule_id}",
    response_model=ScheduleRead,
    responses=problems(ScheduleNotFound, ReportNotFound, DashboardNotFound, StaleVersion, Invalid),
)
@guarded(_sees_schedule)
async def schedule_update(session: WriteSession, actor: Reader, schedule_id: PathId, body: ScheduleUpdate) -> Response:
    """Change a schedule, let it wait, or let it go on."""
    schedule = await schedules.change(session, actor, schedule_id, **body.model_dump())
    return _answer(schedule, await schedules.schedule_json(session, schedule))


@router.delete("/schedules/{schedule_id}", status_code=204, responses=problems(ScheduleNotFound))
async def schedule_delete(session: WriteSession, actor: Reader, schedule_id: PathId) -> Response:
    """Delete a schedule. What it exported stays in the history."""
    await schedules.delete(session, actor, schedule_id)
    return Response(status_code=204)


@router.post(
    "/schedules/{schedule_id}/run",
    status_code=202,
    response_model=ExportDetail,
    responses=problems(ScheduleNotFound, ReportNotFound, DashboardNotFound, StillExporting, NobodyToSendTo, Invalid),
)
@costly
@guarded(_sees_schedule)
async def schedule_run(actor: Reader, schedule_id: PathId, body: ScheduleRun, once: OnceOnly) -> Response:
    """Export now what a schedule exports, and mail it: to all it is for, or as a test to oneself alone."""
    async with database().transaction() as session:

        async def work() -> Response:
            export = await schedules.run(session, actor, schedule_id, is_test=body.is_test)
            return json_response(await exporting.export_json(session, actor, export), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(export_making.TASK)
    return answer


@router.get("/schedules/{schedule_id}/exports", response_model=ExportPage, responses=problems(ScheduleNotFound))
async def schedule_exports(
    session: ReadSession, actor: Reader, schedule_id: PathId, cursor: Cursor = None, limit: Limit = 25
) -> Response:
    """What a schedule exported, newest first."""
    await schedules.find(session, actor, schedule_id)
    of = ReportExport.schedule_id == schedule_id
    return json_response(await exporting.export_page(session, actor, cursor=cursor, limit=limit, of=of))
