"""`/notifications`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import Id, PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.notifications import queries, service
from waypost.notifications.errors import NotificationNotFound
from waypost.notifications.schemas import NotificationPage

router = APIRouter(route_class=StrictRoute, tags=["Notifications"])
Reader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ)]


@router.get("/notifications", response_model=NotificationPage)
async def notifications(
    session: ReadSession, actor: Reader, unread: bool = False, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """What the caller was told, newest first."""
    return json_response(await queries.notification_page(session, actor, unread=unread, cursor=cursor, limit=limit))


@router.post("/notifications/read-all", status_code=204)
async def mark_all_read(
    session: WriteSession,
    actor: Reader,
    ticket_id: Annotated[Id | None, Query(description="Only what is about this request.")] = None,
) -> Response:
    """Mark everything as read, or all that is about one request."""
    await service.mark_all_read(session, actor, ticket_id)
    return Response(status_code=204)


@router.post("/notifications/{notification_id}/read", status_code=204, responses=problems(NotificationNotFound))
async def mark_read(notification_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Mark one as read."""
    await service.mark_read(session, actor, notification_id)
    return Response(status_code=204)
