"""`/tickets/{id}/comments`, `/tickets/{id}/comment-drafts`, `/tickets/{id}/mentionable`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Sought
from waypost.tickets import comment_drafts as drafts
from waypost.tickets import mentionable, policy, talking
from waypost.tickets.errors import (
    CannotMention,
    CommentIsRemoved,
    CommentNotFound,
    EditWindowOver,
    NewerReply,
    NotYours,
    TicketIsClosed,
    TicketNotFound,
)
from waypost.tickets.guards import only_if
from waypost.tickets.queries import find_ticket
from waypost.tickets.schemas import PeopleAnswer, VisibilityWord
from waypost.tickets.talk_schemas import (
    CommentCreate,
    CommentDraftKeep,
    CommentDraftPage,
    CommentDraftRead,
    CommentEdit,
    CommentPage,
    CommentRead,
    CommentVersions,
)

router = APIRouter(route_class=StrictRoute, prefix="/tickets/{ticket_id}", tags=["Conversation"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


async def _only_mine(request: Request) -> None:
    """404 and 403 before a 422: a comment is changed by its author only."""
    actor = await current_actor(request)
    ids = [path_id(request.path_params.get(name)) for name in ("ticket_id", "comment_id")]
    async with database().read() as session:
        talking.check_is_mine(actor, await talking.find_comment(session, actor, *ids))


@router.get("/comments", response_model=CommentPage, responses=problems(TicketNotFound))
async def comments(
    ticket_id: PathId, session: ReadSession, actor: Reader, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What was said, oldest first. Of a removed comment its place remains."""
    return json_response(await talking.comment_list(session, actor, ticket_id, cursor=cursor, limit=limit))


@router.post(
    "/comments",
    status_code=201,
    response_model=CommentRead,
    responses=problems(TicketNotFound, NotYours, CannotMention, TicketIsClosed, NewerReply),
)
@guarded(only_if(policy.may_say_anything))
async def add_comment(
    ticket_id: PathId, body: CommentCreate, session: WriteSession, actor: Reader, once: OnceOnly
) -> Response:
    """Say something: to everybody on the ticket, or (`INTERNAL`) to the team. `@username` calls somebody.

    A `newer_reply` names the `comment_ids` its writer has not seen.
    """

    async def work() -> Response:
        made = await talking.add_comment(
            session,
            actor,
            ticket_id,
            body=body.body,
            visibility=body.visibility,
            after=body.after_comment_id,
            version=body.after_version,
        )
        found = await find_ticket(session, actor, ticket_id)
        return json_response((await talking.comments_json(session, actor, found, [made]))[0], 201)

    return await once.answer(session, actor.user_id, work)


@router.put(
    "/comments/{comment_id}",
    response_model=CommentRead,
    responses=problems(
        TicketNotFound,
        CommentNotFound,
        NotYours,
        CannotMention,
        CommentIsRemoved,
        TicketIsClosed,
        EditWindowOver,
        StaleVersion,
    ),
)
@guarded(_only_mine)
async def edit_comment(
    ticket_id: PathId, comment_id: PathId, body: CommentEdit, session: WriteSession, actor: Reader
) -> Response:
    """Put a comment of one's own in other words, for a while after it was written. Earlier texts are kept."""
    said = await talking.edit_comment(session, actor, ticket_id, comment_id, body=body.body, version=body.version)
    return json_response((await talking.comments_json(session, actor, said.found, [said.comment]))[0])


@router.delete(
    "/comments/{comment_id}",
    status_code=204,
    responses=problems(TicketNotFound, CommentNotFound, NotYours, CommentIsRemoved, TicketIsClosed, EditWindowOver),
)
async def remove_comment(ticket_id: PathId, comment_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Take a comment of one's own back, for a while after it was written. Its place remains."""
    await talking.remove_comment(session, actor, ticket_id, comment_id)
    return Response(status_code=204)


@router.get(
    "/comments/{comment_id}/versions",
    response_model=CommentVersions,
    responses=problems(TicketNotFound, CommentNotFound, NotYours),
)
async def comment_versions(ticket_id: PathId, comment_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """Every text a comment had, for all who see it; of a removed one for audits only."""
    return json_response(await talking.comment_versions(session, actor, ticket_id, comment_id))


@router.get("/mentionable", response_model=PeopleAnswer, responses=problems(TicketNotFound, NotYours))
async def mentionable_people(
    ticket_id: PathId,
    session: ReadSession,
    actor: Reader,
    q: Annotated[Sought, Query(description="Part of a name or username.")] = "",
    visibility: VisibilityWord = "PUBLIC",
    limit: Limit = 10,
) -> Response:
    """The people a comment can mention: those who would see it, the nearest to the ticket first."""
    people = await mentionable.mentionable_people(session, actor, ticket_id, q=q, visibility=visibility, limit=limit)
    return json_response({"items": people})


@router.get("/comment-drafts", response_model=CommentDraftPage, responses=problems(TicketNotFound))
async def comment_drafts(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """What one was writing about this ticket: a draft for each audience."""
    return json_response({"items": await drafts.draft_list(session, actor, ticket_id), "next_cursor": None})


@router.put(
    "/comment-drafts/{visibility}", response_model=CommentDraftRead, responses=problems(TicketNotFound, NotYours)
)
@guarded(only_if(policy.may_say_anything))
async def keep_comment_draft(
    ticket_id: PathId, visibility: VisibilityWord, body: CommentDraftKeep, session: WriteSession, actor: Reader
) -> Response:
    """Keep what one is writing, for this audience."""
    draft = await drafts.keep_draft(session, actor, ticket_id, visibility=visibility, body=body.body)
    return json_response(drafts.draft_json(draft))


@router.delete("/comment-drafts/{visibility}", status_code=204, responses=problems(TicketNotFound))
async def drop_comment_draft(
    ticket_id: PathId, visibility: VisibilityWord, session: WriteSession, actor: Reader
) -> Response:
    """Forget what one was writing."""
    await drafts.drop_draft(session, actor, ticket_id, visibility=visibility)
    return Response(status_code=204)
