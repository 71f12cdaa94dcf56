"""What crosses HTTP about where a request will go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from waypost.approvals.path_schemas import Path, PathFact
from waypost.tickets.schemas import PriorityWord, TicketCreate


class PathAsk(TicketCreate):
    """A request as far as it is filled in: the body of `POST /tickets`; only its type is needed."""

    title: Annotated[str, Field(max_length=200, examples=["New laptop request"])] = ""


class TicketPath(Path):
    """Where a request will go when it is sent."""

    needs_approval: Annotated[bool, Field(description="False: nobody must say yes to this type of request.")]
    priority: Annotated[PriorityWord, Field(description="The one it will be judged with.")]
    priority_is_ruled: Annotated[bool, Field(description="A routing rule gives it another one than was asked for.")]
    missing: Annotated[list[PathFact], Field(description="What decides the path and is not filled in yet.")]
