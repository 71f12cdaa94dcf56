"""What crosses HTTP about tables of people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.access.people_job_schemas import Refused
from waypost.kernel.shapes import Strict

ImportStatus = Literal["UPLOADED", "CHECKED", "RUNNING", "FINISHED", "CANCELLED"]
RowOutcome = Literal["NEW", "CHANGE", "SAME", "WRONG"]
RowStatus = Literal["WAITING", "PENDING", "DONE", "FAILED"]
FieldName = Literal[
    "username",
    "email",
    "first_name",
    "last_name",
    "job_title",
    "department",
    "manager",
    "roles",
    "active",
    "timezone",
]


class PeopleImportPlan(Strict):
    """Which column (counted from 0) is which field. `invites`: who is new gets a link by mail to choose a password."""

    columns: Annotated[
        dict[FieldName, Annotated[int, Field(ge=0, le=199, strict=True)]],
        Field(min_length=1, max_length=10, examples=[{"username": 0, "email": 1, "first_name": 2}]),
    ]
    invites: Annotated[bool, Field(strict=True, examples=[True])] = False


class PeopleImportRun(Strict):
    """`leaving` says how many it deactivates, where that are many: `stop` tells."""

    leaving: Annotated[int | None, Field(ge=0, le=1_000_000, strict=True, examples=[None])] = None


class PeopleImportFirstRow(BaseModel):
    number: Annotated[int, Field(description="As spreadsheets count; the headings are row 1.", examples=[2])]
    cells: list[str]


class PeopleImportCounts(BaseModel):
    """Rows by what they do: somebody new, changes, nothing, or refused."""

    new: int
    change: int
    same: int
    wrong: int


class PeopleImportStop(BaseModel):
    """How many it would deactivate. `is_much`: so many that their number has to be said to run it."""

    leaving: Annotated[int, Field(examples=[0])]
    active: Annotated[int, Field(examples=[400])]
    is_much: bool
    takes_last_administrator: bool


class PeopleImportShort(BaseModel):
    id: Annotated[int, Field(examples=[5])]
    filename: Annotated[str, Field(examples=["people.xlsx"])]
    encoding: Annotated[str, Field(examples=["Excel"])]
    separator: Annotated[str, Field(description="Of text; a workbook has none.", examples=[""])]
    total: Annotated[int, Field(description="Rows, without the headings.", examples=[120])]
    status: ImportStatus
    created_at: datetime
    finished_at: datetime | None


class PeopleImportRead(PeopleImportShort):
    """A table somebody brought, what its columns are, what it would do, and how far it is."""

    headings: Annotated[list[str], Field(examples=[["Username", "E-mail", "Manager"]])]
    first_rows: list[PeopleImportFirstRow]
    suggestion: Annotated[dict[str, int], Field(description="Columns that say what they are.", examples=[{"email": 1}])]
    plan: PeopleImportPlan | None
    counts: PeopleImportCounts
    to_do: Annotated[int, Field(description="Rows that do something.", examples=[100])]
    done: Annotated[int, Field(examples=[40])]
    failed: Annotated[int, Field(examples=[1])]
    stop: Annotated[PeopleImportStop | None, Field(description="Told while it waits to be run.")]


class PeopleImportPage(BaseModel):
    items: list[PeopleImportShort]
    next_cursor: str | None


class PeopleImportChange(BaseModel):
    field: Annotated[str, Field(examples=["department"])]
    before: Annotated[str | None, Field(examples=["Finance"])]
    after: Annotated[str | None, Field(examples=["Facilities"])]


class PeopleImportError(BaseModel):
    field: Annotated[str, Field(description="Empty when it is about the whole row.", examples=["manager"])]
    column: Annotated[str | None, Field(examples=["Reports to"])]
    message: Annotated[str, Field(examples=["is nobody here, by username, e-mail address or name"])]


class PeopleImportRowRead(BaseModel):
    """What a row does, and what became of it. `waits`: so many of its roles wait for a second administrator."""

    number: Annotated[int, Field(examples=[2])]
    outcome: RowOutcome | None
    status: RowStatus
    name: Annotated[str, Field(examples=["Jane Doe"])]
    user_id: Annotated[int | None, Field(examples=[3])]
    changes: list[PeopleImportChange]
    errors: list[PeopleImportError]
    waits: Annotated[int, Field(examples=[0])]
    error: Refused | None


class PeopleImportRowPage(BaseModel):
    items: list[PeopleImportRowRead]
    next_cursor: str | None
