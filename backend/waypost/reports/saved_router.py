"""`/reports/custom`: reports people make."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Invalid, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.reports import policy, running, service
from waypost.reports.errors import (
    ReportNotFound,
    ReportNotYours,
    ReportsBusy,
    ReportTooLarge,
    ReportTooSlow,
    TooManyReports,
)
from waypost.reports.saved_schemas import (
    ReportAsked,
    ReportChoices,
    ReportCreate,
    ReportPage,
    ReportRead,
    ReportResult,
    ReportUpdate,
)
from waypost.reports.shapes import DIMENSIONS, MEASURES, chosen_fields
from waypost.tickets.fields import known_fields

router = APIRouter(route_class=StrictRoute, prefix="/reports", tags=["Reports"])
Reader = Annotated[Actor, permit(Permission.REPORTS_READ)]


async def sees_report(request: Request) -> None:
    """404 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        await service.find_report(session, actor, path_id(request.path_params.get("report_id")))


async def _may_change(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        report = await service.find_report(session, actor, path_id(request.path_params.get("report_id")))
    if not policy.may_change(actor, report):
        raise ReportNotYours


def _answer(report: dict[str, Any], status: int = 200) -> Response:
    return json_response(report, status, {"ETag": f'"{report["id"]}-{report["version"]}"'})


@router.get("/choices", response_model=ReportChoices)
async def report_choices(session: ReadSession, actor: Reader) -> Response:
    """The measures and dimensions there are; the forms' fields with few values among them."""
    dimensions = [*DIMENSIONS.values(), *chosen_fields(await known_fields(session))]
    return json_response(
        {
            "measures": [{"key": m.key, "label": m.label, "unit": m.unit.value} for m in MEASURES.values()],
            "dimensions": [{"key": d.key, "label": d.label} for d in dimensions],
        }
    )


@router.post(
    "/preview",
    response_model=ReportResult,
    responses=problems(Invalid, InvalidCondition, ReportTooLarge, ReportTooSlow, ReportsBusy),
)
@costly
async def report_preview(actor: Reader, body: ReportAsked) -> Response:
    """What a report would show, without saving it."""
    return json_response(await running.run(database(), actor, body.definition.model_dump()))


@router.get("/custom", response_model=ReportPage)
async def report_page(session: ReadSession, actor: Reader, cursor: Cursor = None, limit: Limit = 25) -> Response:
    """One's own reports and those one shares, by name."""
    return json_response(await service.report_page(session, actor, cursor=cursor, limit=limit))


@router.post(
    "/custom",
    status_code=201,
    response_model=ReportRead,
    responses=problems(Invalid, InvalidCondition, TooManyReports),
)
async def report_create(session: WriteSession, actor: Reader, body: ReportCreate, once: OnceOnly) -> Response:
    """Save a report."""

    async def work() -> Response:
        report = await service.create_report(session, actor, **body.model_dump())
        return _answer(await service.report_json(session, actor, report), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/custom/{report_id}", response_model=ReportRead, responses=problems(ReportNotFound))
async def report_read(session: ReadSession, actor: Reader, report_id: PathId) -> Response:
    """A saved report, as it was made."""
    report = await service.find_report(session, actor, report_id)
    return _answer(await service.report_json(session, actor, report))


@router.get(
    "/custom/{report_id}/result",
    response_model=ReportResult,
    responses=problems(ReportNotFound, Invalid, InvalidCondition, ReportTooLarge, ReportTooSlow, ReportsBusy),
)
@costly
async def report_result(actor: Reader, report_id: PathId) -> Response:
    """A saved report's numbers, of the tickets the reader may see."""
    async with database().read() as session:  # given back before the report waits for its turn
        report = await service.find_report(session, actor, report_id)
    return json_response(await running.run(database(), actor, report.definition))


@router.put(
    "/custom/{report_id}",
    response_model=ReportRead,
    responses=problems(ReportNotFound, ReportNotYours, StaleVersion, Invalid, InvalidCondition),
)
@guarded(_may_change)
async def report_update(session: WriteSession, actor: Reader, report_id: PathId, body: ReportUpdate) -> Response:
    """Change a report."""
    report = await service.update_report(session, actor, report_id, **body.model_dump())
    return _answer(await service.report_json(session, actor, report))


@router.delete("/custom/{report_id}", status_code=204, responses=problems(ReportNotFound, ReportNotYours))
async def report_delete(session: WriteSession, actor: Reader, report_id: PathId) -> Response:
    """Delete a report."""
    await service.delete_report(session, actor, report_id)
    return Response(status_code=204)
