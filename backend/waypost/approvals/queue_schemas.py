"""What crosses HTTP about the queue."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.catalog.schemas import Answer
from waypost.kernel.shapes import NamedRef, PersonRef

SeenVersion = Annotated[
    int | None,
    Field(
        ge=1,
        le=2**31 - 1,
        strict=True,
        examples=[1],
        description="The `version` one looked at: when the request reads differently by now, 412 and nothing is decided.",
    ),
]


class SubjectChange(BaseModel):
    """A difference between what was seen and what is now. `kind` says how to show the values."""

    field: Annotated[str, Field(examples=["amount"])]
    label: Annotated[str, Field(examples=["Amount"])]
    kind: Annotated[Literal["text", "money", "instant", "priority"], Field(examples=["money"])]
    before: Annotated[str | None, Field(examples=["900.00 USD"])]
    after: Annotated[str | None, Field(examples=["950.00 USD"])]


class ChangesAnswer(BaseModel):
    """What reads differently now than in an earlier version."""

    version: Annotated[int, Field(examples=[2], description="The version of now; a decision may name it.")]
    changes: list[SubjectChange]


class EarlierDecision(BaseModel):
    by: PersonRef | None
    on_behalf_of: PersonRef | None
    status: Annotated[str, Field(examples=["APPROVED"])]
    comments: str
    at: str
    stage_name: Annotated[str, Field(examples=["Manager"])]
    is_outdated: Annotated[bool, Field(description="The request was changed after this decision.")]
    changes: Annotated[list[SubjectChange], Field(description="What was changed since this decision.")]


class AlsoAsked(BaseModel):
    """Somebody else of the same stage who has not answered; `WAITING`: asked after others."""

    person: PersonRef | None
    on_behalf_of: PersonRef | None
    status: Annotated[str, Field(examples=["PENDING"])]


class StagePlace(BaseModel):
    """Which stage this is, and how it is decided: `needed` of `seats` must say yes."""

    number: Annotated[int, Field(examples=[1])]
    of: Annotated[int, Field(examples=[2])]
    mode: Annotated[str, Field(examples=["PARALLEL"])]
    needed: Annotated[int, Field(examples=[2])]
    seats: Annotated[int, Field(examples=[3])]
    approved: Annotated[int, Field(examples=[1])]
    rejected: Annotated[int, Field(examples=[0])]
    first_answer_counts: bool


class OneByOneRead(BaseModel):
    """Why a request is decided on its own, never together with others."""

    why: Annotated[Literal["EMERGENCY", "AMOUNT"], Field(examples=["AMOUNT"])]
    above: Annotated[str | None, Field(examples=["5000.00"], description="The limit of its workflow.")]
    currency: Annotated[str | None, Field(examples=["USD"])]


class QueueFile(BaseModel):
    """A file of the request that the caller may open."""

    id: Annotated[int, Field(examples=[7])]
    filename: Annotated[str, Field(examples=["offer.pdf"])]
    size: Annotated[int, Field(examples=[48213])]
    content_type: Annotated[str, Field(examples=["application/pdf"])]
    visibility: Annotated[str, Field(examples=["PUBLIC"])]
    scan: Annotated[str, Field(examples=["CLEAN"])]


class QueueTicket(BaseModel):
    """What is judged, as it stood when it was asked for or last edited."""

    id: int
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop"])]
    description: str
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    ticket_type_name: Annotated[str, Field(examples=["IT hardware"])]
    priority: Annotated[str, Field(examples=["HIGH"])]
    amount: Annotated[str | None, Field(examples=["1450.00"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    due_date: str | None
    created_at: str
    custom_fields: dict[str, Any]
    field_titles: dict[str, str]
    answers: Annotated[list[Answer], Field(description="What was filled in, in the form's order.")]
    requester: PersonRef | None
    department: NamedRef | None
    is_confidential: bool
    attachments: list[QueueFile]


class QueueItem(BaseModel):
    """A step that waits for the caller, with what is needed to decide it."""

    id: Annotated[int, Field(examples=[11])]
    ticket: QueueTicket
    version: Annotated[int, Field(examples=[1], description="Which wording this is; a decision may name it.")]
    step_order: int
    stage_name: str
    stage: StagePlace
    workflow_name: str
    status: Annotated[str, Field(examples=["PENDING"])]
    requested_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    seen_at: Annotated[str | None, Field(description="When somebody who may decide it first opened it.")]
    due_at: Annotated[str, Field(examples=["2026-11-25T09:30:00Z"])]
    on_behalf_of: PersonRef | None
    reason: Annotated[str, Field(examples=["the requester's manager, because amount is below 1,000"])]
    one_by_one: Annotated[OneByOneRead | None, Field(description="Set when it can not be decided with others.")]
    step_up: Annotated[bool, Field(description="Approving asks for a confirmation that it is the person signed in.")]
    earlier_decisions: Annotated[list[EarlierDecision], Field(description="Who has answered, oldest first.")]
    also_asked: Annotated[list[AlsoAsked], Field(description="Who else of this stage has not answered.")]
    allowed_actions: Annotated[
        list[str], Field(examples=[["approve", "reject", "request_info", "delegate", "escalate"]])
    ]


class QueuePage(BaseModel):
    items: list[QueueItem]
    next_cursor: str | None


class CountOf(BaseModel):
    name: Annotated[str, Field(examples=["Purchases by amount"])]
    count: Annotated[int, Field(examples=[4])]


class CountOfType(CountOf):
    key: Annotated[str, Field(examples=["IT_HARDWARE"])]


class Total(BaseModel):
    currency: Annotated[str, Field(examples=["USD"])]
    amount: Annotated[str, Field(examples=["12450.00"])]


class QueueSummary(BaseModel):
    """How much waits for the caller."""

    count: Annotated[int, Field(examples=[12])]
    waiting_for_answer: Annotated[int, Field(examples=[1], description="Of these, how many wait for a requester.")]
    overdue: Annotated[int, Field(examples=[2])]
    by_workflow: list[CountOf]
    by_type: list[CountOfType]
    totals: Annotated[list[Total], Field(description="What is asked for, by currency.")]


class WorkflowRef(BaseModel):
    id: int
    status: Annotated[str, Field(examples=["APPROVED"])]
