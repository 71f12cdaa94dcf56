"""What crosses HTTP about imports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Strict, Text

ImportStatus = Literal["UPLOADED", "CHECKING", "CHECKED", "RUNNING", "FINISHED", "CANCELLED"]
RowStatus = Literal["PENDING", "READY", "WRONG", "DUPLICATE", "DONE", "FAILED"]
FieldKey = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["title"])]


class ImportPlan(Strict):
    """Which column (counted from 0) is which field. `defaults` stand where a column is not named or a cell is empty."""

    ticket_type: Annotated[str, Field(max_length=64, examples=["IT_SUPPORT"])]
    columns: Annotated[
        dict[FieldKey, Annotated[int, Field(ge=0, le=199, strict=True)]],
        Field(max_length=250, examples=[{"title": 0, "requester": 2}]),
    ]
    defaults: Annotated[
        dict[FieldKey, Annotated[Text, Field(max_length=2000)]],
        Field(max_length=250, examples=[{"status": "Draft", "priority": "Low"}]),
    ] = {}
    dates: Annotated[
        Literal["ymd", "dmy", "mdy"], Field(description="How days are written: 2026-12-31, 31.12.2026 or 12/31/2026.")
    ] = "ymd"


class ImportFirstRow(BaseModel):
    number: Annotated[int, Field(description="As spreadsheets count; the headings are row 1.", examples=[2])]
    cells: list[str]


class ImportCounts(BaseModel):
    """Rows by state: not looked at, right, wrong, known from an earlier import, made into tickets, failed."""

    pending: int
    ready: int
    wrong: int
    duplicates: int
    done: int
    failed: int


class ImportShort(BaseModel):
    id: Annotated[int, Field(examples=[5])]
    filename: Annotated[str, Field(examples=["old-helpdesk.csv"])]
    encoding: Annotated[str, Field(examples=["UTF-8"])]
    separator: Annotated[str, Field(examples=[";"])]
    total: Annotated[int, Field(description="Rows, without the headings.", examples=[120])]
    status: ImportStatus
    created_at: datetime
    finished_at: datetime | None


class ImportRead(ImportShort):
    """A file somebody brought, what its columns are, and how far it is."""

    headings: Annotated[list[str], Field(examples=[["Subject", "Priority", "E-mail"]])]
    first_rows: list[ImportFirstRow]
    plan: ImportPlan | None
    counts: ImportCounts
    same_file_as: Annotated[int | None, Field(description="One's earlier import of the very same file.")]


class ImportPage(BaseModel):
    items: list[ImportShort]
    next_cursor: str | None


class ImportField(BaseModel):
    key: Annotated[str, Field(examples=["custom.budget_code"])]
    title: Annotated[str | None, Field(description="Of a form's field.", examples=["Budget code"])]


class ImportSuggestion(BaseModel):
    """What columns can be for a type of request, and which say so by their headings."""

    fields: list[ImportField]
    columns: Annotated[dict[str, int], Field(examples=[{"title": 0}])]


class ImportError(BaseModel):
    field: Annotated[str, Field(description="Empty when it is about the whole row.", examples=["requester"])]
    column: Annotated[str | None, Field(examples=["E-mail"])]
    message: Annotated[str, Field(examples=["is nobody's e-mail address or username here"])]


class ImportedTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITS-2026-000123"])]


class ImportRowRead(BaseModel):
    """What became of a row. `ticket` is the one it became, or was already."""

    number: Annotated[int, Field(examples=[2])]
    status: RowStatus
    cells: list[str]
    errors: list[ImportError]
    ticket: ImportedTicket | None


class ImportRowPage(BaseModel):
    items: list[ImportRowRead]
    next_cursor: str | None
