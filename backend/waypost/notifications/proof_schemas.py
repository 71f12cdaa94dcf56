"""What crosses HTTP about the proof of an approval."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef


class ToldRead(BaseModel):
    """One person told by one channel."""

    person: PersonRef | None
    channel: Annotated[str, Field(examples=["email"], description="`app` is the notice in Waypost itself.")]
    address: Annotated[
        str | None,
        Field(examples=["manager@example.com"], description="Only for those who read the team's internal words."),
    ]
    status: Annotated[str, Field(examples=["SENT"])]
    sent_at: Annotated[str, Field(examples=["2026-11-23T09:30:01Z"], description="When it was put on its way.")]
    delivered_at: Annotated[
        str | None,
        Field(examples=["2026-11-23T09:30:02Z"], description="When the other side took it: for mail, its server."),
    ]
    seen_at: Annotated[str | None, Field(description="When the notice was read.")]


class CallRead(BaseModel):
    """One call to decide. `LATE`: it was not answered in time, and somebody was asked as well."""

    what: Annotated[Literal["ASKED", "REMINDED", "LATE"], Field(examples=["ASKED"])]
    at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    told: list[ToldRead]


class RungRead(BaseModel):
    """One person's part: who, why, and everything that was done to reach them."""

    workflow_id: int
    step_id: Annotated[int, Field(examples=[11])]
    stage_name: Annotated[str, Field(examples=["Finance Committee"])]
    rung: Annotated[int, Field(examples=[0], description="0 for who was asked first; how far up for the others.")]
    person: PersonRef | None
    on_behalf_of: PersonRef | None
    why: str
    asked_at: str | None
    seen_at: Annotated[str | None, Field(description="When somebody who may decide it first opened it.")]
    seen_by: PersonRef | None
    status: Annotated[str, Field(examples=["PENDING"])]
    answered_at: str | None
    answered_by: PersonRef | None
    calls: list[CallRead]


class ProofAnswer(BaseModel):
    """Every rung of a ticket's approvals, in the order they were asked."""

    items: list[RungRead]
    shows_addresses: bool
