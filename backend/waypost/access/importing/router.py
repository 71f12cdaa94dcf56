"""`/people-imports`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.errors import StepUpNeeded, TooManyLeave
from waypost.access.importing import queries, service
from waypost.access.importing.errors import PeopleImportElsewhere, PeopleImportNotFound, TakesLastAdministrator
from waypost.access.importing.schemas import (
    PeopleImportPage,
    PeopleImportPlan,
    PeopleImportRead,
    PeopleImportRowPage,
    PeopleImportRun,
    RowOutcome,
    RowStatus,
)
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.filenames import disposition
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.table_uploads import FORM, BadFile, ImportTooLarge, read_table_upload
from waypost.kernel.uploads import BadUpload

router = APIRouter(route_class=StrictRoute, prefix="/people-imports", tags=["Administration"])
# What it takes besides is asked for each row when its turn comes.
Configurer = Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows.",
        "content": {"text/csv": {"example": "E-mail,What is wrong\r\nx,E-mail: is no e-mail address\r\n"}},
    }
}


@router.post(
    "",
    status_code=201,
    response_model=PeopleImportRead,
    openapi_extra=FORM,
    responses=problems(BadUpload, BadFile, ImportTooLarge),
)
@costly
async def bring_people(request: Request, actor: Configurer, once: OnceOnly) -> Response:
    """Bring a CSV file or an Excel workbook, in a form's field `file`: 10 MB and 5,000 rows at most. Nobody is changed."""
    brought = await read_table_upload(request)
    async with database().transaction() as session:

        async def work() -> Response:
            job = await service.bring(session, actor, brought)
            return json_response(await queries.import_json(session, job), 201)

        return await once.answer(session, actor.user_id, work, content=brought.content)


@router.get("", response_model=PeopleImportPage)
async def people_imports(session: ReadSession, actor: Configurer, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """One's own imports of the last month, newest first."""
    return json_response(await queries.import_page(session, actor, cursor=cursor, limit=limit))


@router.get("/{import_id}", response_model=PeopleImportRead, responses=problems(PeopleImportNotFound))
async def people_import(import_id: PathId, session: ReadSession, actor: Configurer) -> Response:
    """What an import would do, and how far it is."""
    job = await service.find_import(session, actor, import_id)
    return json_response(await queries.import_json(session, job))


async def _only_own(request: Request) -> None:
    """404 before a 422: an import that is not one's own is not spoken of."""
    actor = await current_actor(request)
    async with database().read() as session:
        await service.find_import(session, actor, path_id(request.path_params.get("import_id")))


@router.put(
    "/{import_id}/plan",
    response_model=PeopleImportRead,
    responses=problems(PeopleImportNotFound, PeopleImportElsewhere),
)
@costly
@guarded(_only_own)
async def plan_people_import(
    import_id: PathId, body: PeopleImportPlan, session: WriteSession, actor: Configurer
) -> Response:
    """Say which column is which field: each row then says what it would do. Nobody is changed."""
    job = await service.plan_import(
        session, actor, import_id, columns={str(k): v for k, v in body.columns.items()}, invites=body.invites
    )
    return json_response(await queries.import_json(session, job))


@router.post(
    "/{import_id}/run",
    response_model=PeopleImportRead,
    responses=problems(PeopleImportNotFound, PeopleImportElsewhere, TakesLastAdministrator, TooManyLeave, StepUpNeeded),
)
@costly
@guarded(_only_own)
async def run_people_import(import_id: PathId, body: PeopleImportRun, actor: Configurer) -> Response:
    """Put it into force, as a job that goes on by itself: each row is decided and kept on its own, exactly once."""
    async with database().transaction() as session:
        job = await service.run_import(session, actor, import_id, leaving=body.leaving)
        told = await queries.import_json(session, job)
    await hints.ask(service.TASK)
    return json_response(told)


@router.post(
    "/{import_id}/retry",
    response_model=PeopleImportRead,
    responses=problems(PeopleImportNotFound, PeopleImportElsewhere, StepUpNeeded),
)
async def retry_people_import(import_id: PathId, actor: Configurer) -> Response:
    """Try again what failed."""
    async with database().transaction() as session:
        job = await service.retry_import(session, actor, import_id)
        told = await queries.import_json(session, job)
    await hints.ask(service.TASK)
    return json_response(told)


@router.post(
    "/{import_id}/cancel",
    response_model=PeopleImportRead,
    responses=problems(PeopleImportNotFound, PeopleImportElsewhere),
)
async def cancel_people_import(import_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Stop it. What was done stays."""
    job = await service.cancel_import(session, actor, import_id)
    return json_response(await queries.import_json(session, job))


@router.delete("/{import_id}", status_code=204, responses=problems(PeopleImportNotFound, PeopleImportElsewhere))
async def forget_people_import(import_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """Remove the file's rows; what was done stays."""
    await service.forget_import(session, actor, import_id)
    return Response(status_code=204)


@router.get("/{import_id}/rows", response_model=PeopleImportRowPage, responses=problems(PeopleImportNotFound))
async def people_import_rows(
    import_id: PathId,
    session: ReadSession,
    actor: Configurer,
    outcome: Annotated[RowOutcome | None, Query()] = None,
    status: Annotated[RowStatus | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What its rows do, field by field, or what became of them, in their order."""
    page = await queries.row_page(session, actor, import_id, outcome=outcome, status=status, cursor=cursor, limit=limit)
    return json_response(page)


@router.get("/{import_id}/wrong-rows", response_class=Response, responses=_CSV | problems(PeopleImportNotFound))
async def wrong_people_rows(import_id: PathId, session: ReadSession, actor: Configurer) -> Response:
    """The rows that did nothing because something is wrong, with what it is, as a CSV to mend and bring again."""
    name, data = await queries.wrong_rows(session, actor, import_id)
    headers = {"Content-Disposition": disposition(name, inline=False), "Cache-Control": "no-store"}
    return Response(data, 200, headers, media_type="text/csv; charset=utf-8")
