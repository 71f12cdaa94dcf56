"""What crosses HTTP about canned replies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, Said, Strict
from waypost.tickets.talk_schemas import Version

Title = Annotated[Line, Field(max_length=100, examples=["Which model?"])]
Body = Annotated[
    Said,
    Field(
        max_length=10_000,
        description="Markdown with variables.",
        examples=["Hello {{ requester.first_name }}, which model do you need?"],
    ),
]


class ReplyCreate(Strict):
    """One's own, or a team's."""

    title: Title
    body: Body
    team_id: Annotated[Id | None, Field(examples=[None])] = None


class ReplyUpdate(Strict):
    title: Title
    body: Body
    version: Version


class ReplyRead(BaseModel):
    """A canned reply; `team` is null for one's own, `uses` counts how often the caller took it."""

    id: Annotated[int, Field(examples=[3])]
    title: Annotated[str, Field(examples=["Which model?"])]
    body: Annotated[str, Field(examples=["Hello {{ requester.first_name }}, which model do you need?"])]
    team: NamedRef | None
    version: Version
    uses: Annotated[int, Field(examples=[12])]
    updated_at: datetime
    allowed_actions: Annotated[list[Literal["edit", "remove"]], Field(examples=[["edit", "remove"]])]


class ReplyPage(BaseModel):
    items: list[ReplyRead]
    next_cursor: str | None


class Variable(BaseModel):
    name: Annotated[str, Field(examples=["requester.first_name"])]
    example: Annotated[str, Field(examples=["Jane"])]


class Variables(BaseModel):
    items: list[Variable]


class PreviewAsk(Strict):
    ticket_id: Annotated[Id, Field(examples=[42])]
    body: Body


class FilledReply(BaseModel):
    body: Annotated[str, Field(examples=["Hello Jane, which model do you need?"])]
