"""What crosses HTTP about where a request will go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.approvals.path_schemas import Path, PathFact
from waypost.tickets.schemas import PriorityWord, TicketCreate, TicketUpdate


class PathAsk(TicketCreate):
    """A request as far as it is filled in: the body of `POST /tickets`; only its type is needed."""

    title: Annotated[str, Field(max_length=200, examples=["New laptop request"])] = ""


class ChangeAsk(TicketUpdate):
    """A change that is not made yet; the body of `PUT /tickets/{ticket_id}`, whatever its version."""


class AsksAgain(BaseModel):
    """What of a running approval a change would ask again."""

    extent: Annotated[
        Literal["NOTHING", "STAGES", "ROUND"],
        Field(examples=["STAGES"], description="ROUND: all of it, from the beginning."),
    ]
    stages: Annotated[list[str], Field(examples=[["Finance Committee"]])]
    why: Annotated[str, Field(examples=["amount changed from 6,000.00 USD to 7,000.00 USD"])]


class TicketPath(Path):
    """Where a request will go when it is sent."""

    needs_approval: Annotated[bool, Field(description="False: nobody must say yes to this type of request.")]
    priority: Annotated[PriorityWord, Field(description="The one it will be judged with.")]
    priority_is_ruled: Annotated[bool, Field(description="A routing rule gives it another one than was asked for.")]
    missing: Annotated[list[PathFact], Field(description="What decides the path and is not filled in yet.")]


class ChangePath(TicketPath):
    """Where a ticket would go with a change, and whom of its approvers the change would ask again."""

    asks_again: Annotated[AsksAgain | None, Field(description="Null for a draft: nobody has been asked yet.")]
