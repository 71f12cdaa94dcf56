"""What crosses HTTP about the links in mails."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.approvals.link_state import Closed, LinkState, SignIn
from waypost.approvals.queue_schemas import QueueItem, SubjectChange
from waypost.approvals.schemas import Words
from waypost.approvals.signing_schemas import GivenSignature
from waypost.kernel.shapes import PersonRef, Strict


class DecisionByLink(Strict):
    """An answer given with a link. `version` is the wording the page showed."""

    action: Annotated[Literal["APPROVE", "REJECT", "REQUEST_INFO"], Field(examples=["APPROVE"])]
    comments: Words = None
    version: Annotated[
        int,
        Field(
            ge=1,
            le=2**31 - 1,
            strict=True,
            examples=[1],
            description="The `version` of the item one read: when the request reads differently by now, 412.",
        ),
    ]
    signature: GivenSignature = None


class DecisionTicket(BaseModel):
    """Which request it is about."""

    id: Annotated[int, Field(examples=[7])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop"])]


class DecisionMade(BaseModel):
    """What settled it: an answer, or the word of somebody with the right to go past the approvers."""

    status: Annotated[str, Field(examples=["APPROVED"])]
    by: PersonRef | None
    on_behalf_of: PersonRef | None
    at: str | None
    is_override: bool


class DecisionLinkRead(BaseModel):
    """How a link stands, and what is needed to decide."""

    state: LinkState
    closed: Annotated[Closed | None, Field(description="Why there is nothing to decide, with `CLOSED`.")]
    sign_in: Annotated[SignIn | None, Field(description="Why one must sign in, with `SIGN_IN`.")]
    is_signed_in: bool
    person: Annotated[PersonRef | None, Field(description="Whose link it is.")]
    expires_at: str
    ticket: Annotated[
        DecisionTicket | None,
        Field(description="Not told to somebody else, nor of a confidential request without signing in."),
    ]
    item: Annotated[QueueItem | None, Field(description="What is decided, with `OPEN` and `STALE`.")]
    files: Annotated[int, Field(examples=[2], description="How many files it has; they open for who is signed in.")]
    changes: Annotated[list[SubjectChange], Field(description="What reads differently than in the mail, with `STALE`.")]
    decision: Annotated[DecisionMade | None, Field(description="What was decided, with `USED` and `DECIDED`.")]
    workflow_status: Annotated[str | None, Field(examples=["RUNNING"])]
    waiting_for: Annotated[list[PersonRef], Field(description="Who is asked now.")]
