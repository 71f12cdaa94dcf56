"""`/saved-views`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import Id, PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.search import alerts, policy, queries, service
from waypost.search.errors import (
    MayNotShare,
    TooManyAlerts,
    TooManyPins,
    TooManyViews,
    ViewNotFound,
    ViewNotYours,
    ViewOutdated,
)
from waypost.search.models import SavedView
from waypost.search.schemas import Alert, Pin, ViewCounts, ViewCreate, ViewPage, ViewRead, ViewUpdate, ViewValues
from waypost.tickets.schemas import SortWord, TicketPage

router = APIRouter(route_class=StrictRoute, prefix="/saved-views", tags=["Saved views"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]


async def _may_change(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        view = await queries.find_view(session, actor, path_id(request.path_params.get("view_id")))
        led = await queries.teams_led(session, actor, [view])
    if not policy.may_change(actor, view, led):
        raise ViewNotYours


async def _may_see(request: Request) -> None:
    actor = await current_actor(request)
    async with database().read() as session:
        await queries.find_view(session, actor, path_id(request.path_params.get("view_id")))


def _values(body: ViewValues) -> dict[str, Any]:
    """What is kept of a body: filters only where they narrow, times as text."""
    values = body.model_dump(exclude={"filters", "pinned", "version", "group"})
    return values | {
        "group_by": body.group,
        "filters": body.filters.model_dump(mode="json", exclude_defaults=True),
    }


async def _read(session: ReadSession, actor: Actor, view: SavedView, status: int = 200) -> Response:
    pinned = await queries.is_pinned(session, actor, view.id)
    made = (await queries.view_json(session, actor, [(view, pinned)]))[0]
    return json_response(made, status, {"ETag": f'"{view.id}-{view.version}"'})


@router.get("", response_model=ViewPage)
async def saved_views(
    session: ReadSession,
    actor: Reader,
    pinned: Annotated[bool | None, Query(description="Only what one pinned, or only what one did not.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """One's own views and those shared with one's teams and roles, by name."""
    return json_response(await queries.view_page(session, actor, pinned=pinned, cursor=cursor, limit=limit))


@router.post(
    "",
    status_code=201,
    response_model=ViewRead,
    responses=problems(InvalidCondition, MayNotShare, TooManyPins, TooManyViews),
)
async def create_view(body: ViewCreate, session: WriteSession, actor: Reader, once: OnceOnly) -> Response:
    """Save a view for oneself, for a team one is in, or (administrators) for a role."""

    async def work() -> Response:
        made = await service.create_view(session, actor, pinned=body.pinned, **_values(body))
        return await _read(session, actor, made, 201)

    return await once.answer(session, actor.user_id, work)


@router.get("/counts", response_model=ViewCounts)
async def view_counts(
    session: ReadSession, actor: Reader, ids: Annotated[list[Id], Query(min_length=1, max_length=10)]
) -> Response:
    """How many tickets views show the caller now: up to 1,000 each, and no further than a moment allows (`more`)."""
    return json_response({"items": await queries.view_counts(session, actor, ids)})


@router.get("/{view_id}", response_model=ViewRead, responses=problems(ViewNotFound))
async def saved_view(view_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """One view."""
    return await _read(session, actor, await queries.find_view(session, actor, view_id))


@router.put(
    "/{view_id}",
    response_model=ViewRead,
    responses=problems(ViewNotFound, ViewNotYours, InvalidCondition, MayNotShare, TooManyPins, StaleVersion),
)
@guarded(_may_change)
async def update_view(view_id: PathId, body: ViewUpdate, session: WriteSession, actor: Reader) -> Response:
    """Change a view: who made it, and administrators where it is shared."""
    changed = await service.update_view(
        session, actor, view_id, version=body.version, pinned=body.pinned, **_values(body)
    )
    return await _read(session, actor, changed)


@router.delete("/{view_id}", status_code=204, responses=problems(ViewNotFound, ViewNotYours))
async def delete_view(view_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Delete a view."""
    await service.delete_view(session, actor, view_id)
    return Response(status_code=204)


@router.put("/{view_id}/pin", response_model=ViewRead, responses=problems(ViewNotFound, TooManyPins))
@guarded(_may_see)
async def pin_view(view_id: PathId, body: Pin, session: WriteSession, actor: Reader) -> Response:
    """Keep a view in one's side bar, or take it down; others don't notice."""
    return await _read(session, actor, await service.pin_view(session, actor, view_id, pinned=body.pinned))


@router.put("/{view_id}/alert", response_model=ViewRead, responses=problems(ViewNotFound, TooManyAlerts, ViewOutdated))
@guarded(_may_see)
async def alert_view(view_id: PathId, body: Alert, session: WriteSession, actor: Reader) -> Response:
    """Be told of what is new in a view, or not any more. What it shows now is not news; each request is told once."""
    return await _read(session, actor, await alerts.set_alert(session, actor, view_id, body.how))


@router.get("/{view_id}/tickets", response_model=TicketPage, responses=problems(ViewNotFound, ViewOutdated))
async def view_tickets(
    view_id: PathId,
    session: ReadSession,
    actor: Reader,
    sort: Annotated[SortWord | None, Query(description="Another order than the view's own.")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """What the view shows the caller now, a page at a time."""
    return json_response(await queries.view_tickets(session, actor, view_id, sort=sort, cursor=cursor, limit=limit))
