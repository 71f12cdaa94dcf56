"""What a list of tickets is narrowed to, as its address says it: read in one place for the list and its export."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.permissions import Permission
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant
from waypost.tickets.queries import Filters
from waypost.tickets.schemas import PriorityWord, SortWord, StatusWord

Who = Annotated[str, Field(pattern=r"^(me|none|[1-9][0-9]{0,17})$", examples=["me"])]
TypeKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]


def list_filters(
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    status: Annotated[list[StatusWord], Query(max_length=9)] = [],  # noqa: B006
    priority: Annotated[list[PriorityWord], Query(max_length=4)] = [],  # noqa: B006
    ticket_type: Annotated[list[TypeKey], Query(max_length=50)] = [],  # noqa: B006
    assignee_id: Annotated[list[Who], Query(max_length=50)] = [],  # noqa: B006
    requester_id: Annotated[list[Who], Query(max_length=50)] = [],  # noqa: B006
    department_id: Annotated[list[Id], Query(max_length=50)] = [],  # noqa: B006
    team_id: Annotated[list[Id], Query(max_length=50)] = [],  # noqa: B006
    q: Annotated[
        str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Words of number, title or description.")
    ] = None,
    created_from: Annotated[Instant | None, Query()] = None,
    created_to: Annotated[Instant | None, Query()] = None,
    due_before: Annotated[Instant | None, Query()] = None,
) -> Filters:
    """The filters of a list. `assignee_id` takes `me` and `none` too."""

    def people(values: list[str]) -> tuple[int | None, ...]:
        words: dict[str, int | None] = {"me": actor.user_id, "none": None}
        return tuple(words[v] if v in words else int(v) for v in values)

    return Filters(
        statuses=tuple(status),
        priorities=tuple(priority),
        ticket_types=tuple(ticket_type),
        assignee_ids=people(assignee_id),
        requester_ids=tuple(i for i in people(requester_id) if i is not None),
        department_ids=tuple(department_id),
        team_ids=tuple(team_id),
        q=q if q and q.strip() else None,
        created_from=created_from,
        created_to=created_to,
        due_before=due_before,
    )


ListFilters = Annotated[Filters, Depends(list_filters)]
ListSort = Annotated[SortWord, Query()]
