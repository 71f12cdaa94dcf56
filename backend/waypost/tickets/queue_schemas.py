"""What crosses HTTP about queues."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, PersonRef
from waypost.tickets.schemas import PriorityWord, StatusWord
from waypost.tickets.sla_schemas import SlaInShort


class QueueCounts(BaseModel):
    """What waits in a team. `open` is approved or in progress; the others but `in_review` are part of it."""

    team: NamedRef
    is_mine: Annotated[bool, Field(description="One is a member, and may claim.", examples=[True])]
    open: Annotated[int, Field(examples=[12])]
    unassigned: Annotated[int, Field(examples=[4])]
    mine: Annotated[int, Field(examples=[3])]
    overdue: Annotated[int, Field(examples=[1])]
    in_review: Annotated[int, Field(description="On its way: not approved yet.", examples=[2])]


class QueuesAnswer(BaseModel):
    items: list[QueueCounts]


class TeamQueueItem(BaseModel):
    """A ticket in a team's queue."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    status: StatusWord
    priority: PriorityWord
    requester: PersonRef
    assignee: PersonRef | None
    due_date: datetime | None
    sla: SlaInShort | None
    created_at: datetime
    may_claim: Annotated[bool, Field(examples=[True])]


class TeamQueuePage(BaseModel):
    items: list[TeamQueueItem]
    next_cursor: str | None


class Assignee(PersonRef):
    """Somebody a ticket can be given to."""

    open_tickets: Annotated[int, Field(description="Assigned to them and not done.", examples=[3])]
    away_until: Annotated[datetime | None, Field(description="Set while they are away.", examples=[None])]


class AssigneesAnswer(BaseModel):
    items: list[Assignee]
