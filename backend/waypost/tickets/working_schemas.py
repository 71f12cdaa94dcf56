"""What crosses HTTP about what stands beside a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Strict
from waypost.tickets.schemas import CustomFields, Description, StatusWord, Title

LinkWord = Literal["PARENT_OF", "CHILD_OF", "DUPLICATE_OF", "DUPLICATED_BY", "BLOCKS", "BLOCKED_BY", "RELATES_TO"]
WarningWord = Literal[
    "confidential_becomes_open", "readers_see_confidential", "people_see_confidential", "internal_changes_team"
]
ItemText = Annotated[Line, Field(max_length=300, examples=["Order the laptop"])]


class TicketRef(BaseModel):
    """Another ticket, as far as one may see it."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    status: StatusWord


class Watcher(BaseModel):
    person: PersonRef
    gives_sight: Annotated[bool, Field(description="The team let them in: they see the ticket because of this.")]
    since: datetime


class ChecklistItemRead(BaseModel):
    id: Annotated[int, Field(examples=[7])]
    text: Annotated[str, Field(examples=["Order the laptop"])]
    is_done: bool
    done_by: PersonRef | None
    done_at: datetime | None


class LinkRead(BaseModel):
    """How the ticket stands to another."""

    id: Annotated[int, Field(examples=[7])]
    word: LinkWord
    ticket: Annotated[
        TicketRef | None,
        Field(
            description="None for one the caller may not see: those who work on this ticket may still take the link away."
        ),
    ]
    is_merge: Annotated[bool, Field(description="It was merged into the other, which goes on.")]


class Surroundings(BaseModel):
    """What stands beside a ticket on its page, and what the caller may do with it."""

    watchers: list[Watcher]
    is_watching: bool
    checklist: list[ChecklistItemRead]
    links: list[LinkRead]
    is_merged: Annotated[bool, Field(description="It was closed as a duplicate of another.")]
    allowed_actions: Annotated[list[str], Field(examples=[["choose_watchers", "write_checklist", "link"]])]


class ItemCreate(Strict):
    text: ItemText


class ItemUpdate(Strict):
    """What to change; what is left out stays. `position` counts from 0."""

    text: ItemText | None = None
    is_done: Annotated[bool | None, Field(strict=True)] = None
    position: Annotated[int | None, Field(ge=0, le=1000, strict=True)] = None


class LinkCreate(Strict):
    word: LinkWord
    ticket_id: Annotated[Id, Field(examples=[43])]


class MergePreview(BaseModel):
    """What merging would do. Each word of `warnings` must be agreed to."""

    into: TicketRef
    comments: int
    files: int
    tags: Annotated[list[str], Field(description="Tags the other one gets.")]
    left_out_tags: Annotated[list[str], Field(description="Tags it has no room for.")]
    watchers: Annotated[list[PersonRef], Field(description="Who will watch the other one, its requester first.")]
    let_in: Annotated[list[PersonRef], Field(description="Those of them who do not see the other one yet.")]
    shown: Annotated[
        list[PersonRef], Field(description="Who sees the other one, and by this what this one keeps from them.")
    ]
    withdraws_approval: bool
    warnings: list[WarningWord]
    seen: Annotated[
        str, Field(description="A word for what is agreed to; merging takes it, and is refused when it changed.")
    ]


class Merge(Strict):
    into_id: Annotated[Id, Field(examples=[43])]
    accept: Annotated[list[WarningWord], Field(max_length=5, description="The preview's warnings, agreed to.")] = []
    seen: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="The preview's `seen`: what is merged is what was looked at.",
            examples=["3f2a9c0d5b7e4f18a6c1d2e3f4a5b6c7"],
        ),
    ]


class Split(Strict):
    """A ticket of its own, of what these comments ask for."""

    title: Title
    description: Description = ""
    ticket_type: Annotated[str, Field(max_length=64, examples=["IT_SUPPORT"])]
    comment_ids: Annotated[list[Id], Field(min_length=1, max_length=20, examples=[[7]])]
    attachment_ids: Annotated[list[Id], Field(max_length=50, examples=[[]])] = []
    custom_fields: CustomFields = {}


class SplitMade(BaseModel):
    ticket: TicketRef
