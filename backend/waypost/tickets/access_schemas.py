"""What crosses HTTP about who can do what with a ticket, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, PersonRef

Word = Literal["OWN", "LINE", "TEAM", "DEPARTMENT", "ALL"]
RuleWord = Literal[
    "requester",
    "creator",
    "assignee",
    "approver",
    "deputy",
    "invited",
    "team",
    "reports",
    "department",
    "everything",
    "break_glass",
    "answered",
    "later",
]


class AccessLack(BaseModel):
    """One thing that keeps a rule from counting: which permission would have to reach how far, and how far it does."""

    lack: Annotated[Literal["PERMISSION", "SCOPE", "SENT", "CONFIDENTIAL"], Field(examples=["SCOPE"])]
    permission: Annotated[str | None, Field(examples=["tickets:read"])]
    needed: Annotated[Word | None, Field(examples=["DEPARTMENT"])]
    has: Annotated[Word | None, Field(examples=["OWN"])]


class AccessGround(BaseModel):
    """A relation of the person to the ticket. With nothing missing it is why they may."""

    rule: Annotated[RuleWord, Field(examples=["team"])]
    person: PersonRef | None
    team: NamedRef | None
    department: NamedRef | None
    missing: list[AccessLack]


class AccessStep(BaseModel):
    """A step of the ticket's approval that concerns the person."""

    stage: Annotated[str, Field(examples=["Manager"])]
    order: Annotated[int, Field(examples=[1])]
    status: Annotated[str, Field(examples=["PENDING"])]
    is_open: bool
    on_behalf_of: PersonRef | None


class AccessAnswer(BaseModel):
    """Whether they may: by which rules, or which are nearest. `needs_sight`: they might, but cannot see the ticket."""

    act: Annotated[
        Literal["READ", "READ_INTERNAL", "COMMENT", "COMMENT_INTERNAL", "WORK", "DECIDE"], Field(examples=["READ"])
    ]
    is_allowed: bool
    needs_sight: bool
    because: list[AccessGround]
    nearest: list[AccessGround]
    steps: list[AccessStep]


class AccessRole(BaseModel):
    """A role of the person that grants one of the permissions asked about."""

    permission: Annotated[str, Field(examples=["tickets:read"])]
    scope: Annotated[Word, Field(examples=["TEAM"])]
    key: Annotated[str, Field(examples=["agent"])]
    name: Annotated[str, Field(examples=["Agent"])]
    expires_at: datetime | None


class AccessTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["TKT-1042"])]
    status: Annotated[str, Field(examples=["IN_REVIEW"])]
    is_confidential: bool


class TicketAccess(BaseModel):
    """What one person can do with one ticket, and why."""

    user: PersonRef
    is_active: bool
    ticket: AccessTicket
    answers: list[AccessAnswer]
    roles: list[AccessRole]
