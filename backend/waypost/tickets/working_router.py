"""`/tickets/{id}/…`: what stands beside a ticket while it is worked on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.approvals.errors import NobodyToAsk
from waypost.catalog.errors import FormNotFilled, UnknownTicketType
from waypost.directory.names import names
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.tickets import checklist, linking, merging, policy, splitting, watching
from waypost.tickets.errors import (
    AttachmentIsAnswer,
    ChecklistFull,
    LinkExists,
    MergeChanged,
    MergeNeedsConsent,
    NoSuchItem,
    NoSuchLink,
    NoSuchPerson,
    NotYours,
    TicketIsClosed,
    TicketNotFound,
    TooManyAttachments,
    TooManyLinks,
    TooManyWatchers,
    WouldBeCircle,
)
from waypost.tickets.guards import only_if
from waypost.tickets.surroundings import item_json, surroundings
from waypost.tickets.working_models import ChecklistItem
from waypost.tickets.working_schemas import (
    ChecklistItemRead,
    ItemCreate,
    ItemUpdate,
    LinkCreate,
    Merge,
    MergePreview,
    Split,
    SplitMade,
    Surroundings,
)

router = APIRouter(route_class=StrictRoute, prefix="/tickets/{ticket_id}", tags=["Working tickets"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


@router.get("/surroundings", response_model=Surroundings, responses=problems(TicketNotFound))
async def ticket_surroundings(ticket_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """Who watches a ticket, its checklist, its links to tickets one may see, and what one may do with them."""
    return json_response(await surroundings(session, actor, ticket_id))


# --- watchers ---------------------------------------------------------------------------------------------------------


@router.put(
    "/watchers/{user_id}",
    response_model=Surroundings,
    responses=problems(TicketNotFound, NotYours, NoSuchPerson, TooManyWatchers),
)
async def watch_ticket(ticket_id: PathId, user_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Watch a ticket oneself, or, as its team, let somebody else: they see it from then on."""
    await watching.watch(session, actor, ticket_id, user_id)
    return json_response(await surroundings(session, actor, ticket_id))


@router.delete("/watchers/{user_id}", status_code=204, responses=problems(TicketNotFound, NotYours))
async def unwatch_ticket(ticket_id: PathId, user_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Watch it no more. Always possible for oneself; others are taken off by the team."""
    await watching.unwatch(session, actor, ticket_id, user_id)
    return Response(status_code=204)


async def _item_is_there(request: Request) -> None:
    """The item's 404 before a 422, after what the ticket refuses."""
    await only_if(policy.may_link)(request)
    given = request.path_params
    async with database().read() as session:
        item = await session.get(ChecklistItem, path_id(given.get("item_id")))
    if item is None or item.ticket_id != path_id(given.get("ticket_id")):
        raise NoSuchItem


# --- checklist --------------------------------------------------------------------------------------------------------


@router.post(
    "/checklist",
    status_code=201,
    response_model=ChecklistItemRead,
    responses=problems(TicketNotFound, NotYours, TicketIsClosed, ChecklistFull),
)
@guarded(only_if(policy.may_link))
async def add_checklist_item(
    ticket_id: PathId, body: ItemCreate, session: WriteSession, actor: Reader, once: OnceOnly
) -> Response:
    """Put one more thing on the checklist, at its end."""

    async def work() -> Response:
        return json_response(item_json(await checklist.add_item(session, actor, ticket_id, text=body.text), {}), 201)

    return await once.answer(session, actor.user_id, work)


@router.put(
    "/checklist/{item_id}",
    response_model=ChecklistItemRead,
    responses=problems(TicketNotFound, NoSuchItem, NotYours, TicketIsClosed),
)
@guarded(_item_is_there)
async def change_checklist_item(
    ticket_id: PathId, item_id: PathId, body: ItemUpdate, session: WriteSession, actor: Reader
) -> Response:
    """Tick it, put it in other words, or move it."""
    item = await checklist.change_item(session, actor, ticket_id, item_id, body.model_dump(exclude_unset=True))
    return json_response(item_json(item, await names.people(session, [item.done_by_id])))


@router.delete(
    "/checklist/{item_id}", status_code=204, responses=problems(TicketNotFound, NoSuchItem, NotYours, TicketIsClosed)
)
async def remove_checklist_item(ticket_id: PathId, item_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Take a thing off the checklist."""
    await checklist.remove_item(session, actor, ticket_id, item_id)
    return Response(status_code=204)


# --- links ------------------------------------------------------------------------------------------------------------


@router.post(
    "/links",
    status_code=201,
    response_model=Surroundings,
    responses=problems(TicketNotFound, NotYours, LinkExists, WouldBeCircle, TooManyLinks),
)
@guarded(only_if(policy.may_link))
async def link_ticket(
    ticket_id: PathId, body: LinkCreate, session: WriteSession, actor: Reader, once: OnceOnly
) -> Response:
    """Say how this ticket stands to another one may see."""

    async def work() -> Response:
        await linking.link(session, actor, ticket_id, word=body.word, other_id=body.ticket_id)
        return json_response(await surroundings(session, actor, ticket_id), 201)

    return await once.answer(session, actor.user_id, work)


@router.delete("/links/{link_id}", status_code=204, responses=problems(TicketNotFound, NoSuchLink, NotYours))
async def unlink_ticket(ticket_id: PathId, link_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Take a link away. One whose other end one may not see is there only for those who work on this one."""
    await linking.unlink(session, actor, ticket_id, link_id)
    return Response(status_code=204)


# --- two of one, one of two -------------------------------------------------------------------------------------------


@router.get("/merge-preview", response_model=MergePreview, responses=problems(TicketNotFound, NotYours, TicketIsClosed))
async def preview_merge(
    ticket_id: PathId, session: ReadSession, actor: Reader, into: Annotated[Id, Query(examples=[43])]
) -> Response:
    """What merging this ticket into another would do. Nothing is changed."""
    return json_response(await merging.preview(session, actor, ticket_id, into))


@router.post(
    "/merge",
    response_model=Surroundings,
    responses=problems(
        TicketNotFound, NotYours, TicketIsClosed, MergeNeedsConsent, MergeChanged, TooManyAttachments, NobodyToAsk
    ),
)
@guarded(only_if(policy.may_link))
async def merge_ticket(ticket_id: PathId, body: Merge, session: WriteSession, actor: Reader) -> Response:
    """Close this ticket as a duplicate: the other gets what was said, the files, watchers and tags. Twice is once."""
    await merging.merge(session, actor, ticket_id, into_id=body.into_id, accepted=list(body.accept), seen=body.seen)
    session.expire_all()
    return json_response(await surroundings(session, actor, ticket_id))


@router.post(
    "/split",
    status_code=201,
    response_model=SplitMade,
    responses=problems(TicketNotFound, NotYours, FormNotFilled, UnknownTicketType, TooManyLinks, AttachmentIsAnswer),
)
@guarded(only_if(policy.may_split))
async def split_ticket(
    ticket_id: PathId, body: Split, session: WriteSession, actor: Reader, once: OnceOnly
) -> Response:
    """Make a second ticket, in the requester's name, of what some comments ask for; chosen files move there."""

    async def work() -> Response:
        made = await splitting.split(session, actor, ticket_id, **body.model_dump())
        fields = ("id", "ticket_number", "title", "status")
        return json_response({"ticket": {f: getattr(made, f) for f in fields}}, 201)

    return await once.answer(session, actor.user_id, work)
