"""`/tickets/count`. Comes before `/tickets/{id}`: "count" is no id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.tickets.list_query import ListFilters
from waypost.tickets.listing import MOST_COUNTED, ticket_count

router = APIRouter(route_class=StrictRoute, tags=["Tickets"])


class TicketCount(BaseModel):
    """`more`: there are more than were counted."""

    count: Annotated[int, Field(examples=[37])]
    more: bool


@router.get("/tickets/count", response_model=TicketCount, responses=problems(InvalidCondition))
async def count_tickets(
    session: ReadSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)], filters: ListFilters
) -> Response:
    """How many tickets a list has for the caller now: exact up to 10,000, or to 1,000 for leaders who see very many."""
    count, more = await ticket_count(session, actor, filters, most=MOST_COUNTED)
    return json_response({"count": count, "more": more})
