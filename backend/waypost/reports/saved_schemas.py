"""What crosses HTTP about reports people make."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, PersonRef, Strict, Version

MeasureKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$", examples=["count"])]
DimensionKey = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}(\.[A-Za-z0-9_-]{1,64})?$", examples=["team"])]
ChartWord = Literal["TABLE", "BAR", "STACKED", "LINE", "HEAT"]
UnitWord = Literal["COUNT", "MONEY", "SECONDS", "WORKED_SECONDS", "SHARE"]


class Definition(Strict):
    """What a report asks for: measures, told apart by rows and columns, of the tickets a condition leaves."""

    measures: Annotated[list[MeasureKey], Field(min_length=1, max_length=4, examples=[["count"]])]
    rows: DimensionKey | None = None
    columns: Annotated[DimensionKey | None, Field(examples=["priority"])] = None
    condition: Annotated[
        dict[str, Any] | None,
        Field(
            description="As in saved views.",
            examples=[{"all": [{"field": "created_at", "op": "gte", "value": "-90d"}]}],
        ),
    ] = None
    chart: Annotated[ChartWord, Field(examples=["BAR"])] = "BAR"


class ReportAsked(Strict):
    definition: Definition


class ReportCreate(Strict):
    name: Annotated[Line, Field(max_length=100, examples=["Requests by team"])]
    definition: Definition
    person_ids: Annotated[list[Id], Field(max_length=50, examples=[[]])] = []
    team_ids: Annotated[list[Id], Field(max_length=20, examples=[[]])] = []
    roles: Annotated[
        list[Annotated[str, Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]], Field(max_length=20, examples=[[]])
    ] = []


class ReportUpdate(ReportCreate):
    version: Version


class ReportRead(BaseModel):
    """A saved report. With whom it is shared is told to who made it."""

    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Requests by team"])]
    owner: PersonRef | None
    definition: Definition
    people: list[PersonRef]
    teams: list[NamedRef]
    roles: list[str]
    version: Annotated[int, Field(examples=[1])]
    created_at: Annotated[str, Field(examples=["2026-11-23T09:00:00Z"])]
    updated_at: Annotated[str, Field(examples=["2026-11-23T09:00:00Z"])]
    allowed_actions: Annotated[list[str], Field(examples=[["edit", "delete"]])]


class ReportPage(BaseModel):
    items: list[ReportRead]
    next_cursor: Annotated[str | None, Field(examples=[None])]


Drill = Annotated[
    list[dict[str, Any]] | None,
    Field(description="What narrows the list to these tickets; null where the list can't.", examples=[[]]),
]


class Heading(BaseModel):
    key: Annotated[str | int | None, Field(examples=["count"])]
    label: Annotated[str, Field(examples=["Requests"])]
    drill: Drill
    unit: Annotated[UnitWord, Field(examples=["COUNT"])]


class ReportLine(BaseModel):
    key: Annotated[str | int | None, Field(examples=[3])]
    label: Annotated[str, Field(examples=["IT Support"])]
    values: Annotated[list[float | int | str | None], Field(examples=[[12]])]
    drill: Drill


class Axis(BaseModel):
    key: Annotated[str, Field(examples=["team"])]
    label: Annotated[str, Field(examples=["Team"])]


class MeasureRead(Axis):
    unit: Annotated[UnitWord, Field(examples=["COUNT"])]


class ReportResult(BaseModel):
    """A report's numbers, of the tickets its reader may see. Seconds are whole, money is text, a share is 0 to 1."""

    rows: Axis | None
    by: Annotated[Axis | None, Field(description="What the columns tell apart.")]
    columns: list[Heading]
    measures: list[MeasureRead]
    lines: list[ReportLine]
    as_of: Annotated[str, Field(examples=["2026-11-23T09:00:00Z"])]


class ReportChoices(BaseModel):
    """What reports can be made of."""

    measures: list[MeasureRead]
    dimensions: list[Axis]
