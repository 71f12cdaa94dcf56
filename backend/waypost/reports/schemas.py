"""What crosses HTTP about dashboards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef

KindWord = Literal["EMPLOYEE", "AGENT", "MANAGER", "EXECUTIVE"]
Seconds = Annotated[int | None, Field(description="Null when there is none.", examples=[5400])]
Day = Annotated[str, Field(description="In UTC.", examples=["2026-11-23"])]


class TrendDay(BaseModel):
    date: Day
    created: Annotated[int, Field(examples=[12])]
    completed: Annotated[int, Field(examples=[9])]


class Dashboard(BaseModel):
    """What the reader may see, in numbers."""

    tickets_by_status: Annotated[dict[str, int], Field(examples=[{"IN_REVIEW": 4, "APPROVED": 2}])]
    tickets_by_priority: Annotated[dict[str, int], Field(examples=[{"HIGH": 3, "MEDIUM": 9}])]
    pending_approvals: Annotated[int, Field(description="Decisions waiting for the reader.", examples=[3])]
    sla_compliance: Annotated[
        float | None,
        Field(
            description="Share (0 to 1) of completed tickets done in time.",
            examples=[0.94],
        ),
    ]
    average_resolution_hours: Annotated[float | None, Field(examples=[17.5])]
    trend: Annotated[list[TrendDay], Field(description="The last 30 days, UTC.")]


class DashboardKinds(BaseModel):
    kinds: Annotated[list[KindWord], Field(examples=[["AGENT", "EMPLOYEE"]])]


class SmoothDay(TrendDay):
    smooth: Annotated[
        float | None, Field(description="Created a day, on average of the seven days that end here.", examples=[10.4])
    ]


class Spread(BaseModel):
    """Durations in seconds; percentiles are within 2.5 % of the true ones."""

    count: Annotated[int, Field(examples=[120])]
    average: Seconds
    p50: Seconds
    p90: Seconds


class ServiceLevel(BaseModel):
    kept: Annotated[int, Field(description="Completed by their due date.", examples=[94])]
    late: Annotated[int, Field(examples=[6])]
    share: Annotated[float | None, Field(examples=[0.94])]


class Part(BaseModel):
    """Where the time of completed requests went, in seconds."""

    part: Annotated[Literal["APPROVAL", "WORK", "REQUESTER"], Field(examples=["APPROVAL"])]
    seconds: Annotated[int, Field(examples=[86400])]


class DaySpan(BaseModel):
    """From the first to the last day, both included; null: without end."""

    from_: Annotated[str | None, Field(alias="from", examples=["2026-11-17"])]
    to: Annotated[str | None, Field(examples=["2026-11-21"])]


class AgeClass(DaySpan):
    count: Annotated[int, Field(examples=[31])]
    by_priority: Annotated[dict[str, int], Field(examples=[{"HIGH": 3}])]


class TypeCount(BaseModel):
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    count: Annotated[int, Field(examples=[8])]


class Season(BaseModel):
    """What repeats, over thirteen weeks."""

    weekdays: Annotated[
        list[float], Field(description="Created on an average Monday, Tuesday, …", examples=[[4, 3, 3, 3, 2, 0, 0]])
    ]
    change: Annotated[
        float | None,
        Field(description="How the last four weeks differ from the four before, as a share.", examples=[0.12]),
    ]


class Arrival(BaseModel):
    """How many were created on a weekday (0 is Monday) within an hour (UTC), over thirteen weeks."""

    weekday: Annotated[int, Field(examples=[0])]
    hour: Annotated[int, Field(examples=[9])]
    count: Annotated[int, Field(examples=[17])]


class LoadRow(BaseModel):
    """A team or person (null: nobody) with their open requests by class of age."""

    id: Annotated[int | None, Field(examples=[3])]
    name: Annotated[str | None, Field(examples=["IT Support"])]
    counts: Annotated[list[int], Field(examples=[[4, 2, 0, 1]])]


class Load(BaseModel):
    by: Annotated[Literal["TEAM", "ASSIGNEE"], Field(examples=["TEAM"])]
    spans: list[DaySpan]
    rows: list[LoadRow]
    more: Annotated[int, Field(description="Further rows that are left out.", examples=[0])]


class ApproverTime(BaseModel):
    """How long a person's part in a stage takes from being asked, in seconds."""

    approver: PersonRef | None
    stage: Annotated[str, Field(examples=["Manager"])]
    decided: Annotated[int, Field(examples=[14])]
    average: Seconds
    waiting: Annotated[int, Field(description="Decisions that wait for them now.", examples=[2])]


class StageTime(Spread):
    stage: Annotated[str, Field(examples=["Manager"])]


class Progress(BaseModel):
    done: Annotated[int, Field(examples=[1000])]
    of: Annotated[int, Field(examples=[8000])]


class DashboardRead(BaseModel):
    """A dashboard of what its reader may see. `narrow` are the list's filters that show exactly its requests."""

    kind: Annotated[KindWord, Field(examples=["AGENT"])]
    days: Annotated[int, Field(description="How far what is told of a time reaches back.", examples=[30])]
    as_of: Annotated[str, Field(examples=["2026-11-23T09:00:00Z"])]
    counted_at: Annotated[str, Field(description="When the log was followed last.", examples=["2026-11-23T08:59:58Z"])]
    behind: Annotated[
        int,
        Field(
            description="Events of tickets that are not in the numbers yet, up to 1000; states know them already.",
            examples=[0],
        ),
    ]
    progress: Annotated[Progress | None, Field(description="Where numbers are being made anew: how far that is.")]
    narrow: Annotated[dict[str, list[int]], Field(examples=[{"team_id": [1]}])]
    tickets_by_status: Annotated[dict[str, int], Field(examples=[{"IN_REVIEW": 4, "APPROVED": 2}])]
    tickets_by_priority: Annotated[dict[str, int], Field(examples=[{"HIGH": 3, "MEDIUM": 9}])]
    pending_approvals: Annotated[int, Field(examples=[3])]
    by_type: Annotated[list[TypeCount], Field(description="Open requests by kind.")]
    service_level: ServiceLevel
    first_response: Annotated[Spread, Field(description="By the wall clock, from being sent to the first answer.")]
    first_response_working: Annotated[
        Spread, Field(description="In working time, of those with a service level: as its clocks have it.")
    ]
    first_response_level: Annotated[ServiceLevel, Field(description="First responses within their service level.")]
    resolution: Annotated[Spread, Field(description="By the wall clock, from being sent to being done.")]
    resolution_working: Annotated[Spread, Field(description="In working time, without pauses.")]
    open_by_level: Annotated[
        dict[Literal["RUNNING", "PAUSED", "BREACHED", "MET"], int],
        Field(
            description="Open requests by how they stand by their service level.",
            examples=[{"RUNNING": 12, "PAUSED": 3, "BREACHED": 1, "MET": 0}],
        ),
    ]
    parts: list[Part]
    backlog: Annotated[list[AgeClass], Field(description="Open requests by age, the newest class first.")]
    trend: list[SmoothDay]
    season: Season
    arrivals: list[Arrival]
    load: Load
    approvers: list[ApproverTime]
    stages: list[StageTime]
