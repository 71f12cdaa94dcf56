"""`/contact-points`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.notifications import reaching
from waypost.notifications.errors import ContactPointNotFound

router = APIRouter(route_class=StrictRoute, prefix="/contact-points", tags=["Notifications"])
Reader = Annotated[Actor, permit(Permission.NOTIFICATIONS_READ)]


class ContactPointRead(BaseModel):
    """Where a channel reaches the caller: used once it is verified, and not while it is stopped."""

    id: Annotated[int, Field(examples=[9])]
    channel: Annotated[str, Field(examples=["sms"])]
    channel_label: Annotated[str, Field(examples=["SMS"])]
    label: Annotated[str, Field(examples=["My phone"])]
    address: Annotated[str, Field(examples=["+4915112345678"])]
    is_verified: bool
    is_stopped: bool
    used_at: Annotated[str | None, Field(examples=["2026-11-23T09:30:00Z"])]
    created_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]


class ContactPointPage(BaseModel):
    items: list[ContactPointRead]
    next_cursor: str | None


@router.get("", response_model=ContactPointPage)
async def contact_points(session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Where the caller is reached besides by mail: accounts of the company's chat, phones, browsers."""
    return json_response(await reaching.point_page(session, actor, cursor=cursor, limit=limit))


@router.delete("/{point_id}", status_code=204, responses=problems(ContactPointNotFound))
async def remove_contact_point(point_id: PathId, session: WriteSession, actor: Reader) -> Response:
    """Take an address away: nothing goes there any more."""
    await reaching.remove_point(session, actor, point_id)
    return Response(status_code=204)
