"""`/audit`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.audit import queries
from waypost.audit.schemas import AuditPage
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import Id
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.shapes import Instant

router = APIRouter(route_class=StrictRoute, prefix="/audit", tags=["Audit"])
_Word = Annotated[str | None, Query(pattern=r"^[a-z_.]{1,64}$")]


@router.get("", response_model=AuditPage)
async def audit_trail(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.AUDIT_READ)],
    actor_id: Annotated[Id | None, Query()] = None,
    action: _Word = None,
    object_type: _Word = None,
    object_id: Annotated[Id | None, Query()] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Everything that was done, newest first."""
    return json_response(
        await queries.audit_trail(
            session,
            actor,
            actor_id=actor_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            since=since,
            until=until,
            cursor=cursor,
            limit=limit,
        )
    )
