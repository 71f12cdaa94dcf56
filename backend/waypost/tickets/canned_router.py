"""`/canned-replies`, `/tickets/{id}/canned-replies`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Forbidden, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought
from waypost.tickets import canned
from waypost.tickets.canned_schemas import (
    FilledReply,
    PreviewAsk,
    ReplyCreate,
    ReplyPage,
    ReplyRead,
    ReplyUpdate,
    Variables,
)
from waypost.tickets.canned_words import VARIABLES
from waypost.tickets.errors import ReplyNotFound, TicketNotFound

router = APIRouter(route_class=StrictRoute, tags=["Canned replies"])
Writer = Annotated[Actor, permit(Permission.TICKETS_COMMENT)]


async def _only_editors(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    reply_id = path_id(request.path_params.get("reply_id"))
    async with database().read() as session:
        canned.check_may_edit(actor, await canned.find_reply(session, actor, reply_id))


@router.get("/canned-replies", response_model=ReplyPage)
async def canned_replies(
    session: ReadSession,
    actor: Writer,
    q: Annotated[Sought | None, Query(description="Words of title or text.")] = None,
    sort: Annotated[Literal["title", "use"], Query(description="`use`: what one takes most often first.")] = "title",
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """The canned replies one may use: one's own and those of one's teams."""
    return json_response(await canned.reply_list(session, actor, q=q, sort=sort, cursor=cursor, limit=limit))


@router.post("/canned-replies", status_code=201, response_model=ReplyRead, responses=problems(Forbidden))
async def create_canned_reply(body: ReplyCreate, session: WriteSession, actor: Writer, once: OnceOnly) -> Response:
    """Write a canned reply, one's own or a team's. A variable nobody knows is refused."""

    async def work() -> Response:
        made = await canned.create_reply(session, actor, **body.model_dump())
        return json_response(await canned.one_json(session, actor, made), 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/canned-replies/variables", response_model=Variables)
async def canned_variables(actor: Writer) -> Response:
    """What can stand in a canned reply, with an example of each."""
    return json_response({"items": [{"name": n, "example": e} for n, e in VARIABLES.items()]})


@router.post("/canned-replies/preview", response_model=FilledReply, responses=problems(TicketNotFound))
async def preview_canned_reply(body: PreviewAsk, session: ReadSession, actor: Writer) -> Response:
    """What a canned reply would say on a ticket. Nothing is kept."""
    return json_response({"body": await canned.preview(session, actor, body.ticket_id, body.body)})


@router.get("/canned-replies/{reply_id}", response_model=ReplyRead, responses=problems(ReplyNotFound))
async def canned_reply(reply_id: PathId, session: ReadSession, actor: Writer) -> Response:
    """One canned reply."""
    return json_response(await canned.one_json(session, actor, await canned.find_reply(session, actor, reply_id)))


@router.put(
    "/canned-replies/{reply_id}",
    response_model=ReplyRead,
    responses=problems(ReplyNotFound, Forbidden, StaleVersion),
)
@guarded(_only_editors)
async def update_canned_reply(reply_id: PathId, body: ReplyUpdate, session: WriteSession, actor: Writer) -> Response:
    """Put a canned reply in other words: the version one read."""
    reply = await canned.update_reply(session, actor, reply_id, **body.model_dump())
    return json_response(await canned.one_json(session, actor, reply))


@router.delete("/canned-replies/{reply_id}", status_code=204, responses=problems(ReplyNotFound, Forbidden))
async def remove_canned_reply(reply_id: PathId, session: WriteSession, actor: Writer) -> Response:
    """Take a canned reply away."""
    await canned.remove_reply(session, actor, reply_id)
    return Response(status_code=204)


@router.post(
    "/tickets/{ticket_id}/canned-replies/{reply_id}/take",
    response_model=FilledReply,
    responses=problems(TicketNotFound, ReplyNotFound),
)
async def take_canned_reply(ticket_id: PathId, reply_id: PathId, session: WriteSession, actor: Writer) -> Response:
    """A canned reply's words for this ticket, to be read over and sent by hand. Counts as taken."""
    return json_response({"body": await canned.take_reply(session, actor, ticket_id, reply_id)})
