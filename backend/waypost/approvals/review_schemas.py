"""What crosses HTTP about breaking the glass and its review."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.approvals.queue_schemas import SeenVersion, WorkflowRef
from waypost.approvals.signing_schemas import GivenSignature
from waypost.kernel.shapes import PersonRef, Remark, Strict

State = Literal["OPEN", "CONFIRMED", "OBJECTED"]


class GlassBreak(Strict):
    """Why an emergency is approved without those who are asked."""

    comments: Annotated[
        Remark, Field(max_length=10_000, examples=["Orders stand still, and nobody who is asked can be reached."])
    ]
    version: SeenVersion = None
    signature: GivenSignature = None


class Verdict(Strict):
    """What a reviewer found."""

    verdict: Annotated[Literal["CONFIRM", "OBJECT"], Field(examples=["CONFIRM"])]
    comments: Annotated[Remark, Field(max_length=10_000, examples=["There was no other way that night."])]


class ReviewBrief(BaseModel):
    """How the review of broken glass stands."""

    id: Annotated[int, Field(examples=[4])]
    state: Annotated[State, Field(examples=["OPEN"])]
    opened_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    due_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    is_overdue: bool
    reviewers: Annotated[list[PersonRef], Field(description="Who may give the verdict; the first one counts.")]
    decided_at: str | None
    decided_by: PersonRef | None
    comments: Annotated[str, Field(description="The reviewer's words.")]
    allowed_actions: Annotated[list[str], Field(examples=[["confirm", "object"]])]


class ReviewTicket(BaseModel):
    """What was approved."""

    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["Spare server"])]
    priority: Annotated[str, Field(examples=["CRITICAL"])]
    amount: Annotated[str | None, Field(examples=["18000.00"])]
    currency: Annotated[str | None, Field(examples=["USD"])]


class ReviewRead(ReviewBrief):
    """A review of broken glass."""

    ticket: ReviewTicket
    workflow_name: Annotated[str, Field(examples=["Purchases by amount"])]
    asked_at: Annotated[str, Field(examples=["2026-11-23T09:12:00Z"], description="Since when it had waited.")]
    requester: PersonRef | None
    broken_by: PersonRef | None
    reason: Annotated[str, Field(examples=["Orders stand still, and nobody who is asked can be reached."])]


class ReviewPage(BaseModel):
    items: list[ReviewRead]
    next_cursor: str | None
    waiting_count: Annotated[int, Field(examples=[1], description="How many wait for the caller; at most 100.")]


class GlassAnswer(BaseModel):
    """The approval that ended, and the review it opened."""

    workflow: WorkflowRef
    review: ReviewRead
