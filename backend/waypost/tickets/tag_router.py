"""`/tags`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.paging import Limit
from waypost.kernel.shapes import Sought
from waypost.tickets import tagging

router = APIRouter(route_class=StrictRoute, tags=["Tickets"])


class TagsAnswer(BaseModel):
    items: Annotated[list[str], Field(examples=[["laptop", "onboarding"]])]


@router.get("/tags", response_model=TagsAnswer)
async def tags(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    q: Annotated[Sought, Query(description="How the tag begins.")] = "",
    limit: Limit = 10,
) -> Response:
    """Tags that stand on tickets one may see, by how they begin: for a type-ahead."""
    return json_response({"items": await tagging.known(session, actor, beginning=q, limit=limit)})
