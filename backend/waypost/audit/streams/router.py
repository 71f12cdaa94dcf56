"""`/audit/streams`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.audit.streams import queries, sending, service
from waypost.audit.streams.errors import StreamNameTaken, StreamNotFound, TooManyStreams
from waypost.audit.streams.schemas import (
    StreamCreate,
    StreamList,
    StreamRead,
    StreamTest,
    StreamTested,
    StreamUpdate,
)
from waypost.audit.streams.service import setup_of
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, prefix="/audit/streams", tags=["Audit"])
Administrator = Annotated[Actor, permit(Permission.AUDIT_CONFIGURE)]


async def _is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.AUDIT_CONFIGURE)
    async with database().read() as session:
        await service.check_stream(session, path_id(request.path_params["stream_id"]))


@router.get("", response_model=StreamList)
async def audit_streams(session: ReadSession, _: Administrator) -> Response:
    """Where the trail is sent on to, and how far each destination has come. Secrets are never told."""
    return json_response(await queries.stream_list(session))


@router.post(
    "", status_code=201, response_model=StreamRead, responses=problems(StreamNameTaken, TooManyStreams, StepUpNeeded)
)
async def add_audit_stream(body: StreamCreate, session: WriteSession, actor: Administrator, once: OnceOnly) -> Response:
    """Send the trail to one more system. Needs a step-up."""

    async def work() -> Response:
        row = await service.add_stream(session, actor, setup_of(body.model_dump()), body.start)
        return json_response(await queries.one_stream(session, row.id), 201)

    answer = await once.answer(session, actor.user_id, work)
    await hints.ask(sending.TASK)
    return answer


@router.post("/test", response_model=StreamTested, responses=problems(StreamNotFound))
@costly
async def try_audit_stream(body: StreamTest, actor: Administrator) -> Response:
    """Send a test entry to a destination as it is set up here, and say what was in the way."""
    error = await service.try_stream(database(), actor, setup_of(body.model_dump()), body.stream_id)
    return json_response({"is_taken": error is None, "error": error})


@router.get("/{stream_id}", response_model=StreamRead, responses=problems(StreamNotFound))
async def audit_stream(stream_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """One destination."""
    return json_response(await queries.one_stream(session, stream_id))


@router.put(
    "/{stream_id}",
    response_model=StreamRead,
    responses=problems(StreamNotFound, StreamNameTaken, StaleVersion, StepUpNeeded),
)
@guarded(_is_there)
async def change_audit_stream(
    stream_id: PathId, body: StreamUpdate, session: WriteSession, actor: Administrator
) -> Response:
    """Change a destination, or switch it on or off. After failures it is tried again at once. Needs a step-up."""
    await service.change_stream(session, actor, stream_id, body.version, setup_of(body.model_dump()), body.start)
    answer = json_response(await queries.one_stream(session, stream_id))
    await hints.ask(sending.TASK)
    return answer


@router.delete("/{stream_id}", status_code=204, responses=problems(StreamNotFound, StepUpNeeded))
async def remove_audit_stream(stream_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """End sending the trail there. Needs a step-up."""
    await service.remove_stream(session, actor, stream_id)
    return Response(status_code=204)
