"""What crosses HTTP about what somebody asked for and waits on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, PersonRef
from waypost.tickets.schemas import PriorityWord, StatusWord

NextStep = Literal["SUBMIT", "DECIDE", "ANSWER", "START", "COMPLETE", "CONFIRM"]


class WaitsFor(BaseModel):
    """Who holds a request now: people, or a team of which nobody took it yet; nobody: the administrators are to decide."""

    is_you: bool
    people: list[PersonRef]
    team: NamedRef | None
    next_step: Annotated[NextStep, Field(description="What they do next with it.", examples=["DECIDE"])]
    since: Annotated[datetime | None, Field(description="Since when approvers are asked.")]
    due_at: Annotated[datetime | None, Field(description="By when approvers should have answered.")]


class WaitingItem(BaseModel):
    """A request that is not over."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    ticket_type_name: Annotated[str, Field(examples=["IT hardware"])]
    status: StatusWord
    priority: PriorityWord
    requester: PersonRef
    due_date: datetime | None
    created_at: datetime
    updated_at: datetime
    waits_for: WaitsFor


class WaitingPage(BaseModel):
    items: list[WaitingItem]
    next_cursor: str | None
