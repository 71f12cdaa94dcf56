"""`/ticket-fields`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.tickets.fields import OF_USE, field_list
from waypost.tickets.fields_schemas import TicketFields

router = APIRouter(route_class=StrictRoute, prefix="/ticket-fields", tags=["Tickets"])


@router.get("", response_model=TicketFields)
async def ticket_fields(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    use: Annotated[
        Literal["list", "routing", "service_levels"],
        Query(
            description="`routing`: only what is known when a request is sent; `service_levels`: what policies go by.",
            examples=["list"],
        ),
    ] = "list",
) -> Response:
    """Every field a condition may speak of: what tickets have, and what the forms ask for, with operators and choices."""
    found = await field_list(session, actor, only=OF_USE.get(use), has_counted=use == "list")
    return json_response({"items": found})
