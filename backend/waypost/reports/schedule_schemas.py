"""What crosses HTTP about schedules of exports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, PersonRef, Strict, Version
from waypost.reports.export_schemas import DaysNumber, ExportKind, ExportStatus, Formats, ReportNamed

EveryWord = Literal["DAY", "WEEKDAY", "WEEK", "MONTH"]
WallTime = Annotated[
    str,
    Field(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="What the clock on the wall of `zone` shows.",
        examples=["08:00"],
    ),
]
Zone = Annotated[str, Field(max_length=64, description="An IANA time zone.", examples=["Europe/Berlin"])]
Weekdays = Annotated[
    list[Annotated[int, Field(ge=1, le=7)]],
    Field(max_length=7, description="Of `WEEK`: 1 is Monday.", examples=[[1]]),
]
MonthDay = Annotated[
    int, Field(ge=1, le=31, description="Of `MONTH`; a shorter month is taken on its last day.", examples=[1])
]


class ScheduleSet(Strict):
    """When a report is exported by itself, how, and for whom."""

    subject: Annotated[Line, Field(max_length=150, examples=["Requests by team, every Monday"])]
    formats: Formats
    every: Annotated[EveryWord, Field(examples=["WEEK"])]
    weekdays: Weekdays = []
    day: MonthDay = 1
    at_time: WallTime
    zone: Zone
    person_ids: Annotated[list[Id], Field(max_length=50, examples=[[3]])]
    team_ids: Annotated[
        list[Id],
        Field(max_length=20, description="Who is in them when it is sent; shared with the report.", examples=[[]]),
    ] = []
    roles: Annotated[
        list[Annotated[str, Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]],
        Field(max_length=20, description="Keys of roles: who has them when it is sent.", examples=[[]]),
    ] = []
    is_paused: Annotated[bool, Field(examples=[False])] = False


class BoardScheduleSet(ScheduleSet):
    """The same of a dashboard."""

    days: Annotated[DaysNumber, Field(description="How far what is told of a time reaches back.", examples=[30])]


class ScheduleUpdate(ScheduleSet):
    version: Version


class ScheduleRun(Strict):
    is_test: Annotated[bool, Field(description="For oneself alone.", examples=[True])] = False


class LastExport(BaseModel):
    """How the last export went."""

    id: Annotated[int, Field(examples=[5])]
    kind: Annotated[ExportKind, Field(examples=["SCHEDULED"])]
    status: Annotated[ExportStatus, Field(examples=["DONE"])]
    total: Annotated[int, Field(examples=[3])]
    done: Annotated[int, Field(examples=[3])]
    failed: Annotated[int, Field(examples=[0])]
    created_at: Annotated[str, Field(examples=["2026-11-23T07:00:01Z"])]


class RoleNamed(BaseModel):
    """A role as it is called."""

    key: Annotated[str, Field(examples=["manager"])]
    name: Annotated[str, Field(examples=["Manager"])]


class ScheduleRead(BaseModel):
    id: Annotated[int, Field(examples=[2])]
    report: ReportNamed
    owner: PersonRef | None
    subject: Annotated[str, Field(examples=["Requests by team, every Monday"])]
    formats: Formats
    every: Annotated[EveryWord, Field(examples=["WEEK"])]
    weekdays: Weekdays
    day: MonthDay
    at_time: WallTime
    zone: Zone
    people: list[PersonRef]
    teams: list[NamedRef]
    roles: list[RoleNamed]
    state: Annotated[Literal["ACTIVE", "PAUSED"], Field(examples=["ACTIVE"])]
    paused_why: Annotated[Literal["BY_OWNER", "OWNER_LEFT", "NOT_SHARED"] | None, Field(examples=[None])]
    next_at: Annotated[str | None, Field(examples=["2026-11-30T07:00:00Z"])]
    last: LastExport | None
    version: Annotated[int, Field(examples=[1])]


class SchedulePage(BaseModel):
    items: list[ScheduleRead]
    next_cursor: Annotated[str | None, Field(examples=[None])]
