"""What crosses HTTP about tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from waypost.catalog.schemas import Answer
from waypost.kernel.ids import Id
from waypost.kernel.shapes import (
    Currency,
    Fields,
    Instant,
    Line,
    Money,
    NamedRef,
    PersonRef,
    Remark,
    Said,
    Strict,
    Text,
)
from waypost.tickets import tagging
from waypost.tickets.sla_schemas import SlaInShort

StatusWord = Literal[
    "DRAFT", "SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "REJECTED", "IN_PROGRESS", "COMPLETED", "CLOSED"
]
PriorityWord = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
VisibilityWord = Literal["PUBLIC", "INTERNAL"]
SortWord = Literal[
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "priority",
    "-priority",
    "due_date",
    "-due_date",
    "sla_due_at",
    "-sla_due_at",
]


Title = Annotated[Line, Field(max_length=200, examples=["New laptop request"])]
Description = Annotated[Text, Field(max_length=50_000, examples=["Need a laptop for project work"])]
CustomFields = Annotated[
    Fields, Field(examples=[{"budget_code": "PROJ001", "justification": "Current laptop insufficient"}])
]
Comment = Annotated[Said, Field(max_length=20_000, examples=["Which model do you need?"])]
Tag = Annotated[str, AfterValidator(tagging.normal)]
Tags = Annotated[
    list[Tag],
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
    Field(max_length=tagging.MOST, examples=[["laptop", "onboarding"]], description="Kept in lower case, each once."),
]
Words = Annotated[Remark, Field(max_length=20_000, examples=["Picked up at the desk"])]


class Progress(BaseModel):
    """How far a checklist is; `total` is 0 without one."""

    done: Annotated[int, Field(examples=[3])]
    total: Annotated[int, Field(examples=[5])]


class TicketListItem(BaseModel):
    """A ticket in a list."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    status: StatusWord
    priority: PriorityWord
    amount: Annotated[str | None, Field(examples=["1450.00"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    requester: PersonRef
    assignee: PersonRef | None
    team: NamedRef | None
    department: NamedRef | None
    due_date: datetime | None
    sla: Annotated[SlaInShort | None, Field(description="How it stands by its service level; null without one.")]
    tags: Annotated[list[str], Field(examples=[["laptop", "onboarding"]])]
    is_confidential: Annotated[bool, Field(description="Kept from the requester's managers and department heads.")]
    checklist: Progress
    version: Annotated[int, Field(examples=[3])]
    comment_count: Annotated[int, Field(examples=[2])]
    created_at: datetime
    updated_at: datetime


class TicketPage(BaseModel):
    items: list[TicketListItem]
    next_cursor: str | None


class TicketRead(TicketListItem):
    """A ticket with everything its page shows. `allowed_actions` are the buttons this caller has."""

    ticket_type_name: Annotated[str, Field(examples=["IT hardware"])]
    description: str
    created_by: Annotated[PersonRef, Field(description="Who made it, when not the requester themself.")]
    custom_fields: CustomFields
    form: Annotated[dict[str, Any], Field(description="The form it was made with (JSON Schema).")]
    answers: Annotated[list[Answer], Field(description="What was filled in, in the form's order.")]
    submitted_at: datetime | None
    completed_at: datetime | None
    closed_at: datetime | None
    allowed_actions: Annotated[list[str], Field(examples=[["edit", "submit", "comment"]])]


class TicketCreate(Strict):
    """A new request (specification, Ticket Creation)."""

    title: Title
    description: Description = ""
    ticket_type: Annotated[str, Field(max_length=64, examples=["IT_HARDWARE"])]
    priority: PriorityWord | None = None
    due_date: Instant | None = None
    custom_fields: CustomFields = {}
    amount: Money | None = None
    currency: Currency | None = None
    tags: Tags = []
    is_confidential: Annotated[bool, Field(strict=True, description="Only for those who have a part in it.")] = False
    submit: Annotated[bool, Field(strict=True, description="Submit at once instead of keeping a draft.")] = False
    requester_id: Annotated[
        Id | None, Field(description="For whom it is, when not for oneself (`GET /requesters`).", examples=[None])
    ] = None
    draft_id: Annotated[UUID | None, Field(description="The draft it was written as; it is removed with this.")] = None


class TicketUpdate(Strict):
    """The fields to change; those left out stay. `version` may stand in `If-Match` instead."""

    title: Title | None = None
    description: Description | None = None
    priority: PriorityWord | None = None
    due_date: Instant | None = None
    custom_fields: CustomFields | None = None
    amount: Money | None = None
    currency: Currency | None = None
    tags: Tags | None = None
    is_confidential: Annotated[bool | None, Field(strict=True)] = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, strict=True, examples=[3])] = None


class StatusChange(Strict):
    to: StatusWord
    comment: Words | None = None


class Assignment(Strict):
    """Who is to do it; null gives it back to the team. `team_id` moves it to another team."""

    assignee_id: Annotated[Id | None, Field(examples=[9])] = None
    team_id: Annotated[Id | None, Field(examples=[1])] = None


class PeopleAnswer(BaseModel):
    items: list[PersonRef]


class Change(BaseModel):
    """What was changed. A form's field is `custom_fields.<key>`, with its title as `label` and values as people read them."""

    field: Annotated[str, Field(examples=["amount"])]
    label: Annotated[str | None, Field(examples=[None])] = None
    old: Any
    new: Any


class HistoryEntry(BaseModel):
    """One thing that happened."""

    id: Annotated[int, Field(examples=[1001])]
    type: Annotated[str, Field(examples=["ticket.submitted"])]
    at: datetime
    actor: PersonRef | None
    on_behalf_of: PersonRef | None
    summary: Annotated[str, Field(examples=["submitted the request"])]
    comment_id: Annotated[int | None, Field(description="The comment it is about.", examples=[None])]
    changes: list[Change]
    comment: str | None
    visibility: VisibilityWord


class HistoryPage(BaseModel):
    items: list[HistoryEntry]
    next_cursor: str | None


class AttachmentRead(BaseModel):
    """A file of a ticket. `scan` is the virus scanner's word: NONE without one, PENDING, CLEAN, INFECTED or FAILED."""

    id: Annotated[int, Field(examples=[7])]
    ticket_id: Annotated[int, Field(examples=[42])]
    filename: Annotated[str, Field(examples=["quote.pdf"])]
    size: Annotated[int, Field(description="Bytes.", examples=[48213])]
    sha256: Annotated[str, Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])]
    content_type: Annotated[str, Field(description="By its bytes, not by its name.", examples=["application/pdf"])]
    visibility: VisibilityWord
    scan: Literal["NONE", "PENDING", "CLEAN", "INFECTED", "FAILED"]
    can_preview: bool
    uploaded_by: PersonRef
    created_at: datetime
    allowed_actions: Annotated[list[str], Field(examples=[["delete"]])]


class AttachmentPage(BaseModel):
    items: list[AttachmentRead]
    next_cursor: str | None


class AttachmentLink(BaseModel):
    url: Annotated[str, Field(examples=["/api/v1/files/7.3.12.1795630000.c2lnbmVk"])]
    expires_at: datetime


class AssignMany(Strict):
    """Give the tickets to somebody (null: back to their team), or to another team."""

    type: Literal["assign"]
    assignee_id: Annotated[Id | None, Field(examples=[9])] = None
    team_id: Annotated[Id | None, Field(examples=[None])] = None


class MoveMany(Strict):
    """Take the same transition with each."""

    type: Literal["transition"]
    to: StatusWord
    comment: Words | None = None


class UpdateMany(Strict):
    """Give each the same priority or due date."""

    type: Literal["update"]
    priority: PriorityWord | None = None
    due_date: Instant | None = None


class CommentMany(Strict):
    """Say the same on each."""

    type: Literal["comment"]
    body: Comment
    visibility: VisibilityWord = "PUBLIC"


class TagMany(Strict):
    """Put tags on each, take others off."""

    type: Literal["tag"]
    add: Tags = []
    remove: Tags = []


class CloseMany(Strict):
    """Close each."""

    type: Literal["close"]
    comment: Words | None = None


class WatchMany(Strict):
    """Be told of each from now on, or (`on: false`) not any more."""

    type: Literal["watch"]
    on: Annotated[bool, Field(strict=True)] = True


BulkTicketAction = Annotated[
    AssignMany | MoveMany | UpdateMany | CommentMany | TagMany | CloseMany | WatchMany, Field(discriminator="type")
]


class BulkTickets(Strict):
    """One action on up to 2,000 tickets: those named, or all of the list that the address narrows."""

    ticket_ids: Annotated[list[Id] | None, Field(min_length=1, max_length=2000, examples=[[42, 43]])] = None
    all_matching: Annotated[
        bool, Field(strict=True, description="Instead of `ticket_ids`: all that match the filters in the address, now.")
    ] = False
    action: Annotated[BulkTicketAction, Field(examples=[{"type": "assign", "assignee_id": 9}])]
    wait: Annotated[
        bool, Field(strict=True, description="False (or more than 500 tickets): answer at once, the job goes on.")
    ] = True


class BulkError(BaseModel):
    code: Annotated[str, Field(examples=["not_yours"])]
    detail: Annotated[str, Field(examples=["You may see this ticket, but this is not yours to do."])]


class BulkResult(BaseModel):
    """What became of one ticket."""

    ticket_id: Annotated[int, Field(examples=[42])]
    ok: bool
    error: BulkError | None


class BulkJobRead(BaseModel):
    """One action on many tickets, and how far it is."""

    id: Annotated[int, Field(examples=[5])]
    action: Annotated[dict[str, Any], Field(examples=[{"type": "assign", "assignee_id": 9}])]
    status: Literal["RUNNING", "FINISHED"]
    total: Annotated[int, Field(examples=[150])]
    done: Annotated[int, Field(examples=[148])]
    failed: Annotated[int, Field(examples=[2])]
    is_undo: bool
    can_undo: Annotated[bool, Field(description="For ten minutes, where an action can be taken back.")]
    created_at: datetime
    finished_at: datetime | None


class BulkTicketsAnswer(BaseModel):
    """`results` is empty while the job still runs (`wait: false`)."""

    job: BulkJobRead
    results: list[BulkResult]


class BulkPreview(BaseModel):
    """What would become of the tickets: of the first 500, when there are more."""

    results: list[BulkResult]
    total: Annotated[int, Field(examples=[150])]


class BulkItemRead(BaseModel):
    ticket_id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str | None, Field(examples=["ITH-2026-000123"])]
    status: Literal["PENDING", "DONE", "FAILED"]
    error: BulkError | None


class BulkItemPage(BaseModel):
    items: list[BulkItemRead]
    next_cursor: str | None
