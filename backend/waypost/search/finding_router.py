"""`/search`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.kernel.paging import BadCursor, Cursor, Limit
from waypost.search import searching
from waypost.search.finding_schemas import SearchPage

router = APIRouter(route_class=StrictRoute, prefix="/search", tags=["Search"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]
Asked = Annotated[
    str,
    Query(
        max_length=10_000,
        description='Words, "phrases", beginnings*, -without, OR, and filters such as `status:open` or `created:>2026-01-01`.',
        examples=["laptop status:open"],
    ),
]


@router.get("", response_model=SearchPage, responses=problems(BadCursor))
async def search(actor: Reader, q: Asked, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Tickets by their words, best first; any text has an answer."""
    async with searching.limited(database()) as session:
        return json_response(await searching.search(session, actor, q, cursor=cursor, limit=limit))
