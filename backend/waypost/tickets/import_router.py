"""`/ticket-imports`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.permissions import Permission
from waypost.catalog.errors import TicketTypeNotFound, UnknownTicketType
from waypost.catalog.queries import ticket_type
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
from waypost.tickets import import_queries, importing
from waypost.tickets.import_errors import ImportNotFound, NotNow, NotYourType
from waypost.tickets.import_schemas import (
    ImportPage,
    ImportPlan,
    ImportRead,
    ImportRowPage,
    ImportSuggestion,
    RowStatus,
)
from waypost.tickets.mapping import Plan

router = APIRouter(route_class=StrictRoute, prefix="/ticket-imports", tags=["Imports"])
Importer = Annotated[Actor, permit(Permission.TICKETS_IMPORT)]
TypeKey = Annotated[str, Query(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64, examples=["IT_SUPPORT"])]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows.",
        "content": {"text/csv": {"example": "Subject,What is wrong\r\n,title: is needed\r\n"}},
    }
}


@router.post(
    "",
    status_code=201,
    response_model=ImportRead,
    openapi_extra=FORM,
    responses=problems(BadUpload, BadFile, ImportTooLarge),
)
@costly
async def bring_import(request: Request, actor: Importer, once: OnceOnly) -> Response:
    """Bring a CSV file or an Excel workbook, in a form's field `file`: 10 MB and 5,000 rows at most. Nothing is made of it."""
    brought = await read_table_upload(request)
    async with database().transaction() as session:

        async def work() -> Response:
            job = await importing.bring(
                session, actor, filename=brought.filename, sha256=brought.sha256, table=brought.table
            )
            return json_response(await import_queries.import_json(session, job), 201)

        return await once.answer(session, actor.user_id, work, content=brought.content)


@router.get("", response_model=ImportPage)
async def imports(session: ReadSession, actor: Importer, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """One's own imports of the last month, newest first."""
    return json_response(await import_queries.import_page(session, actor, cursor=cursor, limit=limit))


@router.get("/{import_id}", response_model=ImportRead, responses=problems(ImportNotFound))
async def ticket_import(import_id: PathId, session: ReadSession, actor: Importer) -> Response:
    """How far an import is."""
    job = await importing.find_import(session, actor, import_id)
    return json_response(await import_queries.import_json(session, job))


@router.get(
    "/{import_id}/suggestion",
    response_model=ImportSuggestion,
    responses=problems(ImportNotFound, TicketTypeNotFound),
)
async def suggest_import(
    import_id: PathId, session: ReadSession, actor: Importer, ticket_type_key: TypeKey
) -> Response:
    """What the columns can be for a type of request, and which of them say so."""
    kind = await ticket_type(session, actor, ticket_type_key)
    return json_response(await import_queries.suggestion(session, actor, import_id, kind))


async def _only_own(request: Request) -> None:
    """404 before a 422: an import that is not one's own is not spoken of."""
    actor = await current_actor(request)
    async with database().read() as session:
        await importing.find_import(session, actor, path_id(request.path_params.get("import_id")))


@router.put(
    "/{import_id}/plan",
    response_model=ImportRead,
    responses=problems(ImportNotFound, NotNow, NotYourType, UnknownTicketType),
)
@guarded(_only_own)
async def plan_import(import_id: PathId, body: ImportPlan, session: WriteSession, actor: Importer) -> Response:
    """Say which column is which field, and what stands in the others."""
    plan = Plan(body.ticket_type, body.columns, body.defaults, body.dates)
    job = await importing.plan_import(session, actor, import_id, plan)
    return json_response(await import_queries.import_json(session, job))


@router.post("/{import_id}/check", response_model=ImportRead, responses=problems(ImportNotFound, NotNow))
@costly
async def check_import(import_id: PathId, actor: Importer) -> Response:
    """Rehearse every row by the rules of requests. Nothing is changed; the worker does it."""
    async with database().transaction() as session:
        job = await importing.check_import(session, actor, import_id)
        told = await import_queries.import_json(session, job)
    await hints.ask(importing.TASK)
    return json_response(told)


@router.post("/{import_id}/run", response_model=ImportRead, responses=problems(ImportNotFound, NotNow))
@costly
async def run_import(import_id: PathId, actor: Importer) -> Response:
    """Let the rows that are right become tickets; the worker does it, each exactly once."""
    async with database().transaction() as session:
        job = await importing.run_import(session, actor, import_id)
        told = await import_queries.import_json(session, job)
    await hints.ask(importing.TASK)
    return json_response(told)


@router.post("/{import_id}/cancel", response_model=ImportRead, responses=problems(ImportNotFound, NotNow))
async def cancel_import(import_id: PathId, session: WriteSession, actor: Importer) -> Response:
    """Stop it. Tickets that were made stay."""
    job = await importing.cancel_import(session, actor, import_id)
    return json_response(await import_queries.import_json(session, job))


@router.delete("/{import_id}", status_code=204, responses=problems(ImportNotFound, NotNow))
async def forget_import(import_id: PathId, session: WriteSession, actor: Importer) -> Response:
    """Remove the file's rows; the tickets made of them stay."""
    await importing.forget_import(session, actor, import_id)
    return Response(status_code=204)


@router.get("/{import_id}/rows", response_model=ImportRowPage, responses=problems(ImportNotFound))
async def import_rows(
    import_id: PathId,
    session: ReadSession,
    actor: Importer,
    status: Annotated[RowStatus | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What became of its rows, in their order."""
    return json_response(
        await import_queries.row_page(session, actor, import_id, status=status, cursor=cursor, limit=limit)
    )


@router.get("/{import_id}/wrong-rows", response_class=Response, responses=_CSV | problems(ImportNotFound))
async def wrong_import_rows(import_id: PathId, session: ReadSession, actor: Importer) -> Response:
    """The rows that became no ticket, with what is wrong, as a CSV to mend and bring again."""
    name, data = await import_queries.wrong_rows(session, actor, import_id)
    headers = {"Content-Disposition": disposition(name, inline=False), "Cache-Control": "no-store"}
    return Response(data, 200, headers, media_type="text/csv; charset=utf-8")
