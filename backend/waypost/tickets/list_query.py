"""What a list of tickets is narrowed to, as its address says it: read in one place for the list and its export."""

from __future__ import annotations

from inspect import signature
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant
from waypost.tickets.conditions import MOST_TEXT, condition_in_address, filters_from
from waypost.tickets.listing import Filters
from waypost.tickets.schemas import PriorityWord, SortWord, StatusWord
from waypost.tickets.wording import read_wording

Who = Annotated[str, Field(pattern=r"^(me|none|[1-9][0-9]{0,17})$", examples=["me"])]
TypeKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]

ConditionText = Annotated[str, Field(max_length=MOST_TEXT)]


async def list_filters(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    status: Annotated[list[StatusWord], Query(max_length=9)] = [],  # noqa: B006
    priority: Annotated[list[PriorityWord], Query(max_length=4)] = [],  # noqa: B006
    ticket_type: Annotated[list[TypeKey], Query(max_length=50)] = [],  # noqa: B006
    assignee_id: Annotated[list[Who], Query(max_length=50)] = [],  # noqa: B006
    requester_id: Annotated[list[Who], Query(max_length=50)] = [],  # noqa: B006
    department_id: Annotated[list[Id], Query(max_length=50)] = [],  # noqa: B006
    team_id: Annotated[list[Id], Query(max_length=50)] = [],  # noqa: B006
    q: Annotated[
        str | None, Query(description="Words and filters, as the search takes them; any text has an answer.")
    ] = None,
    created_from: Annotated[Instant | None, Query()] = None,
    created_to: Annotated[Instant | None, Query()] = None,
    due_before: Annotated[Instant | None, Query()] = None,
    condition: Annotated[
        ConditionText | None, Query(description="A condition on a ticket's fields, as JSON.", examples=[None])
    ] = None,
) -> Filters:
    """The filters of a list. `assignee_id` takes `me` and `none` too."""
    return filters_from(
        actor,
        status=status,
        priority=priority,
        ticket_type=ticket_type,
        assignee_id=assignee_id,
        requester_id=requester_id,
        department_id=department_id,
        team_id=team_id,
        words=await read_wording(session, actor, q),
        created_from=created_from,
        created_to=created_to,
        due_before=due_before,
        condition=await condition_in_address(session, actor, condition),
    )


ListFilters = Annotated[Filters, Depends(list_filters)]
_KNOWN = {*signature(list_filters).parameters, "sort", "limit", "cursor"} - {"session", "actor"}


def exact_filters(request: Request, filters: ListFilters) -> Filters:
    """The filters of an address that holds nothing else: what narrows nothing would change more than was meant."""
    unknown = sorted(set(request.query_params) - _KNOWN)
    if unknown:
        raise Invalid(errors=tuple(FieldError(f"?{name}", "is no filter of a list") for name in unknown[:20]))
    return filters


ExactFilters = Annotated[Filters, Depends(exact_filters)]
ListSort = Annotated[SortWord, Query()]
