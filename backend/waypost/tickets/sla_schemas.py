"""What crosses HTTP about the clocks of a ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef

StateWord = Literal["RUNNING", "PAUSED", "BREACHED", "MET"]
RunWord = Literal["RUNNING", "PAUSED", "STOPPED"]
MetricWord = Literal["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION", "OWN_TIME"]
KindWord = Literal["RUNNING", "CLOSED", "HOLIDAY", "PAUSED", "STOPPED"]


class SlaInShort(BaseModel):
    """How a ticket stands by its service level, for lists."""

    state: StateWord
    next_due_at: Annotated[datetime | None, Field(description="The next moment a running target is over; null: none.")]


class SlaPolicyRef(BaseModel):
    id: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["All requests"])]
    version: Annotated[int, Field(examples=[2])]


class SlaCalendarRef(BaseModel):
    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Working hours"])]
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]


class TargetCalendar(BaseModel):
    name: Annotated[str, Field(examples=["Working hours"])]
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]


class LedgerLine(BaseModel):
    """A stretch of time. Lines have no gaps; the `RUNNING` ones add up to `used_seconds`, all to `elapsed_seconds`."""

    kind: KindWord
    start: datetime
    end: datetime
    seconds: Annotated[float, Field(examples=[5400.0])]
    why: Annotated[str, Field(description="The status it was in.", examples=["IN_PROGRESS"])]
    name: Annotated[str, Field(description="A holiday's name, when it is known.", examples=[""])]


class SlaTarget(BaseModel):
    """One target. Times are UTC; what is `used` and `left` is working time, what is `actual` time by the wall."""

    metric: MetricWord
    team: Annotated[NamedRef | None, Field(description="Whose own time it is.")]
    state: StateWord
    run: RunWord
    priority: Annotated[str, Field(examples=["HIGH"])]
    target_seconds: Annotated[float, Field(examples=[7200.0])]
    used_seconds: Annotated[float, Field(examples=[2040.0])]
    left_seconds: Annotated[float, Field(description="Below zero when it is late.", examples=[5160.0])]
    actual_seconds: Annotated[float, Field(description="While it ran, nights and holidays too.", examples=[2040.0])]
    elapsed_seconds: Annotated[float, Field(description="Since it started, pauses too.", examples=[2040.0])]
    started_at: datetime
    due_at: Annotated[datetime | None, Field(description="Null while it is paused, and when it was over before.")]
    breached_at: datetime | None
    stopped_at: datetime | None
    paused_since: datetime | None
    why: Annotated[str, Field(description="The status it is paused in.", examples=[""])]
    calendar: TargetCalendar
    ledger: list[LedgerLine]
    sums: Annotated[
        dict[KindWord, float],
        Field(
            description="Seconds by kind.",
            examples=[{"RUNNING": 2040.0, "CLOSED": 0.0, "HOLIDAY": 0.0, "PAUSED": 0.0, "STOPPED": 0.0}],
        ),
    ]


class TicketSla(BaseModel):
    """By when a ticket is answered and done. Without a service level all is empty."""

    at: Annotated[datetime, Field(description="When this was so.")]
    policy: SlaPolicyRef | None
    calendar: SlaCalendarRef | None
    state: StateWord | None
    next_due_at: datetime | None
    reopens: Annotated[int, Field(examples=[0])]
    targets: list[SlaTarget]
