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
from waypost.search import people, searching, suggesting
from waypost.search.errors import SearchBusy
from waypost.search.finding_schemas import FoundPeople, SearchPage, Similar, Suggestions

router = APIRouter(route_class=StrictRoute, prefix="/search", tags=["Search"])
Reader = Annotated[Actor, permit(Permission.TICKETS_READ)]
Asked = Annotated[
    str,
    Query(
        description='Words, "phrases", beginnings*, -without, OR, and filters such as `status:open` or `created:>2026-01-01`.',
        examples=["laptop status:open"],
    ),
]

Begun = Annotated[str, Query(description="What was written so far.", examples=["lap"])]
Title = Annotated[str, Query(description="What a request is called.", examples=["A new laptop"])]
TypeOf = Annotated[
    str | None, Query(max_length=64, description="Its type: those come first.", examples=["IT_HARDWARE"])
]


@router.get("", response_model=SearchPage, responses=problems(BadCursor, SearchBusy))
async def search(actor: Reader, q: Asked, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Tickets by their words, best first; any text has an answer."""
    async with searching.limited(database()) as session:
        return json_response(await searching.search(session, actor, q, cursor=cursor, limit=limit))


@router.get("/suggestions", response_model=Suggestions, responses=problems(SearchBusy))
async def search_suggestions(actor: Reader, q: Begun) -> Response:
    """What may be meant, while one types: tickets, people one may look up, views, and how the last word may go on."""
    async with searching.limited(database()) as session:
        return json_response(await suggesting.suggestions(session, actor, q))


@router.get("/people", response_model=FoundPeople, responses=problems(SearchBusy))
async def search_people(actor: Reader, q: Asked, limit: Annotated[int, Query(ge=1, le=20)] = 6) -> Response:
    """People the caller may look up, by name, username, the first part of their address, or department."""
    async with searching.limited(database()) as session:
        found, more = await people.people_found(session, actor, q, most=limit)
    return json_response({"items": found, "more": more})


@router.get("/similar", response_model=Similar, responses=problems(SearchBusy))
async def search_similar(actor: Reader, title: Title, ticket_type: TypeOf = None) -> Response:
    """Requests the caller may see that ask for much the same: for whoever is writing one."""
    async with searching.limited(database()) as session:
        return json_response({"items": await suggesting.similar(session, actor, title, ticket_type)})
