"""What routes ask before they tell what is wrong with a body."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from waypost.access.actor import Actor
from waypost.access.deps import current_actor
from waypost.kernel.db import database
from waypost.kernel.ids import path_id
from waypost.kernel.problems import Guard
from waypost.tickets import policy, queries
from waypost.tickets.errors import NotYours


def only_if(may: Callable[[Actor, policy.TicketFacts], object]) -> Guard:
    """404 and 403 before a 422: a body's faults are told only to those who may do this with the ticket at all."""

    async def guard(request: Request) -> None:
        actor = await current_actor(request)
        ticket_id = path_id(request.path_params.get("ticket_id"))
        async with database().read() as session:
            found = await queries.find_ticket(session, actor, ticket_id)
        if not may(actor, found.facts):
            raise NotYours

    return guard
