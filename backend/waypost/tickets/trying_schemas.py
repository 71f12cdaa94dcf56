"""What crosses HTTP about trying workflows out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from waypost.approvals.definitions_schemas import DOCUMENT
from waypost.approvals.path_schemas import Path, PathWorkflow
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Currency, Instant, Money, PersonRef, Strict, nfc
from waypost.tickets.schemas import CustomFields, Description, PriorityWord, StatusWord

Tried = Annotated[
    dict[str, Any] | None,
    AfterValidator(nfc),
    Field(
        description="The workflow as it is being written; without it, the draft, and without a draft what is in force.",
        examples=[DOCUMENT],
    ),
]


class MadeUp(Strict):
    """A request that nobody sends. Without a requester it is the caller's own."""

    ticket_type: Annotated[str, Field(max_length=64, examples=["IT_HARDWARE"])]
    title: Annotated[str, Field(max_length=200, examples=["New laptop request"])] = ""
    description: Description = ""
    priority: PriorityWord | None = None
    due_date: Instant | None = None
    custom_fields: CustomFields = {}
    amount: Money | None = None
    currency: Currency | None = None
    requester_id: Annotated[Id | None, Field(examples=[3])] = None
    department_id: Annotated[Id | None, Field(examples=[None], description="Without it, the requester's.")] = None


class SimulateBody(Strict):
    """Either a ticket that exists, or one that is made up."""

    document: Tried = None
    ticket_id: Annotated[Id | None, Field(examples=[None])] = None
    ticket: MadeUp | None = None


class Simulated(Path):
    """The path the ticket would take."""

    needs_approval: Annotated[bool, Field(description="False: nobody must say yes to this type of request.")]
    priority: Annotated[PriorityWord, Field(description="The one it is judged with.")]
    is_used: Annotated[bool | None, Field(description="Whether this workflow judges it; null when none is tried out.")]
    why_not: Annotated[str | None, Field(examples=["none of its stages applies"])]


class ReplayBody(Strict):
    document: Tried = None


class ReplayedTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop"])]
    status: StatusWord
    amount: Annotated[str | None, Field(examples=["1450.00"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    requester: PersonRef | None


class ReplayedStage(BaseModel):
    name: Annotated[str, Field(examples=["Finance Committee"])]
    mode: Annotated[Literal["SEQUENTIAL", "PARALLEL"], Field(examples=["PARALLEL"])]
    needed: Annotated[int, Field(examples=[2])]
    first_answer_counts: bool
    people: list[PersonRef]


class ReplayedWay(BaseModel):
    """The workflow that judges a ticket, and the stages that apply."""

    workflow: PathWorkflow
    stages: list[ReplayedStage]


class ReplayedDifference(BaseModel):
    ticket: ReplayedTicket
    before: ReplayedWay
    after: ReplayedWay


class ReplayedFailure(BaseModel):
    """A ticket that could not be submitted any more."""

    ticket: ReplayedTicket
    reason: Literal["nobody_to_ask"]
    stages: Annotated[list[str], Field(examples=[["Finance Committee"]], description="Those with nobody.")]


class ReplayedPerson(BaseModel):
    """How often somebody is asked, in the tickets that are shown as different."""

    person: PersonRef
    before: Annotated[int, Field(examples=[3])]
    after: Annotated[int, Field(examples=[11])]


class Replayed(BaseModel):
    """What would have been different, newest first. Those one may not see are counted: `hidden`."""

    total: Annotated[int, Field(examples=[500])]
    same: Annotated[int, Field(examples=[488])]
    changed: Annotated[int, Field(examples=[12])]
    hidden: Annotated[int, Field(examples=[0], description="Of those that are different or cannot, not shown.")]
    different: list[ReplayedDifference]
    cannot: list[ReplayedFailure]
    people: list[ReplayedPerson]
