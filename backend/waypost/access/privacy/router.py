"""`/account/data-copies`, `/users/{id}/data-copies`, `/data-copies`, `/users/{id}/erasure`, `/erasures`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import AnotherMust, StepUpNeeded
from waypost.access.people_editing import one_user
from waypost.access.permissions import Permission
from waypost.access.privacy import erasing, exporting
from waypost.access.privacy.errors import (
    ErasureNotFound,
    ErasureWaits,
    ExportNotFound,
    ExportNotReady,
    ExportWaits,
    OnHold,
    StillHere,
    TooManyCopies,
)
from waypost.access.privacy.models import PersonalExport
from waypost.access.privacy.schemas import (
    ErasurePage,
    ErasureRead,
    ErasureState,
    Hold,
    PersonalExportPage,
    PersonalExportRead,
    Reason,
)
from waypost.directory.errors import PersonNotFound, WasErased
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, tags=["Personal data"])
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]
Handler = Annotated[Actor, permit(Permission.PRIVACY_HANDLE)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A ZIP archive.", "content": {"application/zip": {"example": "…"}}}
}


def _json(row: PersonalExport) -> dict[str, Any]:
    is_over = row.expires_at is not None and row.expires_at <= now()
    return {
        "id": row.id,
        "state": "GONE" if is_over else row.state,
        "size": row.size,
        "created_at": rfc3339(row.created_at),
        "made_at": row.made_at and rfc3339(row.made_at),
        "expires_at": row.expires_at and rfc3339(row.expires_at),
    }


async def _is_there(request: Request) -> None:
    async with database().read() as session:
        await one_user(session, path_id(request.path_params.get("user_id")))


@router.get("/account/data-copies", response_model=PersonalExportPage)
async def own_exports(session: ReadSession, actor: Oneself, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """The copies one asked for of what is held about oneself, newest first."""
    rows, following = await exporting.page(session, actor, actor.user_id, cursor=cursor, limit=limit)
    return json_response({"items": [_json(r) for r in rows], "next_cursor": following})


@router.post(
    "/account/data-copies",
    status_code=201,
    response_model=PersonalExportRead,
    responses=problems(ExportWaits, TooManyCopies, StepUpNeeded),
)
async def ask_own_export(session: WriteSession, actor: Oneself, once: OnceOnly) -> Response:
    """Ask for a copy of everything that is held about oneself; it is ready some moments later, for a week."""

    async def work() -> Response:
        return json_response(_json(await exporting.ask(session, actor, actor.user_id)), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/users/{user_id}/data-copies", response_model=PersonalExportPage, responses=problems(PersonNotFound))
async def user_exports(
    user_id: PathId, session: ReadSession, actor: Handler, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """The copies the reader asked for of what is held about somebody, newest first."""
    await one_user(session, user_id)
    rows, following = await exporting.page(session, actor, user_id, cursor=cursor, limit=limit)
    return json_response({"items": [_json(r) for r in rows], "next_cursor": following})


@router.post(
    "/users/{user_id}/data-copies",
    status_code=201,
    response_model=PersonalExportRead,
    responses=problems(PersonNotFound, WasErased, ExportWaits, TooManyCopies, StepUpNeeded),
)
async def ask_user_export(user_id: PathId, session: WriteSession, actor: Handler, once: OnceOnly) -> Response:
    """Ask for a copy of everything that is held about somebody; only who asked may fetch it."""

    async def work() -> Response:
        return json_response(_json(await exporting.ask(session, actor, user_id)), 201)

    return await once.answer(session, actor.user_id, work)


@router.get(
    "/data-copies/{export_id}/file",
    response_class=Response,
    responses=_FILE | problems(ExportNotFound, ExportNotReady, StepUpNeeded),
)
async def personal_export_file(export_id: PathId, session: WriteSession, actor: Oneself) -> Response:
    """The copy itself, for who asked for it. That it was fetched stands in the audit trail."""
    row = await exporting.fetch(session, actor, export_id)
    headers = {
        "Content-Type": "application/zip",
        "Content-Length": str(row.size),
        "Content-Disposition": f'attachment; filename="personal-data-{row.user_id}.zip"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(exporting.contents(row), 200, headers)


@router.get("/users/{user_id}/erasure", response_model=ErasureState, responses=problems(PersonNotFound))
async def erasure_plan(user_id: PathId, session: ReadSession, actor: Handler) -> Response:
    """What there is about somebody, what an erasure would make of it, and what stands in the way."""
    return json_response(await erasing.state(session, actor, user_id))


@router.put("/users/{user_id}/legal-hold", response_model=ErasureState, responses=problems(PersonNotFound, WasErased))
@guarded(_is_there)
async def set_legal_hold(user_id: PathId, body: Hold, session: WriteSession, actor: Handler) -> Response:
    """Keep everything about somebody, for a reason; null lets it go."""
    await erasing.set_hold(session, actor, user_id, body.reason)
    return json_response(await erasing.state(session, actor, user_id))


@router.post(
    "/users/{user_id}/erasure",
    status_code=201,
    response_model=ErasureRead,
    responses=problems(PersonNotFound, StillHere, OnHold, WasErased, ErasureWaits, AnotherMust, StepUpNeeded),
)
@guarded(_is_there)
async def ask_erasure(user_id: PathId, body: Reason, session: WriteSession, actor: Handler, once: OnceOnly) -> Response:
    """Ask that what is personal about somebody who left be erased; a second administrator does it within a week."""

    async def work() -> Response:
        row = await erasing.ask(session, actor, user_id, body.reason)
        people = await names.people(session, [row.user_id, row.asked_by_id])
        return json_response(erasing.erasure_json(row, people, actor), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/erasures", response_model=ErasurePage)
async def erasures(session: ReadSession, actor: Handler, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """The requests that wait for a second administrator, newest first."""
    return json_response(await erasing.page(session, actor, cursor=cursor, limit=limit))


@router.post(
    "/erasures/{erasure_id}/do",
    status_code=204,
    responses=problems(ErasureNotFound, AnotherMust, StillHere, OnHold, StepUpNeeded),
)
async def do_erasure(erasure_id: PathId, session: WriteSession, actor: Handler) -> Response:
    """Erase, as the second administrator. Nothing brings it back."""
    await erasing.do(session, actor, erasure_id)
    return Response(status_code=204)


@router.delete("/erasures/{erasure_id}", status_code=204, responses=problems(ErasureNotFound))
async def drop_erasure(erasure_id: PathId, session: WriteSession, actor: Handler) -> Response:
    """Let a request be."""
    await erasing.drop(session, actor, erasure_id)
    return Response(status_code=204)
