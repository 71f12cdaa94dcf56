"""What crosses HTTP when a service level is tried out on the newest requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, Text
from waypost.sla.policy_schemas import PolicyDocument
from waypost.sla.policy_setting import Setup
from waypost.tickets.schemas import StatusWord
from waypost.tickets.sla_schemas import MetricWord, StateWord


class PolicyTried(PolicyDocument):
    """A policy as it is being written. One that is not in use holds for no request."""

    name: Annotated[Text, Field(max_length=100, description="May be missing still.", examples=["IT support"])] = ""
    is_active: Annotated[bool, Field(strict=True)] = True

    def setup(self) -> Setup:
        return Setup(self.name, self.document(), self.is_active)


class TriedTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop"])]
    status: StatusWord


class TriedSide(BaseModel):
    """How a clock stands. `due_at` of one that is over in time is when it would have been due; null: it waits, or did at last."""

    state: StateWord
    due_at: Annotated[str | None, Field(examples=["2026-11-26T09:30:00Z"])]
    left_seconds: Annotated[
        float | None, Field(description="Working time that is left where nothing is due.", examples=[None])
    ]


class TriedClock(BaseModel):
    """A clock that differs. Null is no clock: there is no target on that side."""

    metric: MetricWord
    team: Annotated[NamedRef | None, Field(description="Whose own time it is.")]
    before: Annotated[TriedSide | None, Field(description="By the policies in force now, over the whole time.")]
    after: Annotated[TriedSide | None, Field(description="With the draft among them, over the whole time.")]
    is_otherwise: Annotated[bool, Field(description="Whether it is in fact otherwise than `before`: see `had`.")]
    had: Annotated[
        TriedSide | None, Field(description="How it is in fact, by the versions that held; null too where none is.")
    ]


class TriedDifference(BaseModel):
    """A request that would differ. `LATE`: a clock would be late; `EASED`: one would not be late any more, and none is late."""

    ticket: TriedTicket
    outcome: Literal["LATE", "EASED", "OTHER"]
    is_moved: Annotated[bool, Field(description="Whether another policy, or none, would hold for it.")]
    before: Annotated[str | None, Field(description="The name of the policy that holds now.", examples=["IT support"])]
    after: Annotated[str | None, Field(description="The name of the one that would.", examples=["All requests"])]
    clocks: list[TriedClock]


class PolicyReplayed(BaseModel):
    """What would differ: what is late first, newest first. `late`, `eased`, `other` and `same` add up to `total`.

    Requests one may not see are counted in all of these; `hidden` is how many that differ are therefore not listed.
    """

    total: Annotated[int, Field(description="Requests that were looked at.", examples=[500])]
    is_whole: Annotated[bool, Field(description="False: there was not time enough for all of the newest 500.")]
    fits: Annotated[int, Field(description="Those for which the draft would hold.", examples=[240])]
    older: Annotated[
        int,
        Field(
            description="Of those it concerns, how many went in fact by something else than is in force now.",
            examples=[12],
        ),
    ]
    moved: Annotated[int, Field(description="Those for which another policy, or none, would hold.", examples=[3])]
    late: Annotated[int, Field(description="Requests of which a clock would be late.", examples=[9])]
    eased: Annotated[int, Field(description="Requests of which a clock would not be late any more.", examples=[0])]
    other: Annotated[int, Field(description="Requests that would differ otherwise.", examples=[31])]
    same: Annotated[int, Field(examples=[460])]
    hidden: Annotated[int, Field(examples=[0])]
    different: list[TriedDifference]
